//! What is emitted beside errors: an implementation that looks right, so that no other error follows
//! from the lack of one.

use proc_macro2::TokenStream;
use syn::{DeriveInput, Error, Path};

use crate::expand::{Names, hygienic, implementation};

/// The errors, and an implementation that is never run.
pub(crate) fn message(input: &DeriveInput, krate: Option<&Path>, error: &Error) -> TokenStream {
    let names = Names::new(krate, None);
    let krate = &names.krate;
    let private = hygienic!(#krate::__private);
    let items = hygienic! {
        fn tag(&self) -> #private::u32 {
            #private::unreachable!()
        }
        fn name(&self) -> &'static #private::str {
            #private::unreachable!()
        }
        fn encode<'__message>(
            &'__message self,
            __encoder: &mut #krate::Encoder<'__message>,
        ) -> #private::Result<(), #krate::EncodeError> {
            #private::unreachable!()
        }
        fn decode<'__frame>(
            __frame: &'__frame [#private::u8],
        ) -> #private::Result<<Self as #krate::Message>::Borrowed<'__frame>, #krate::DecodeError> {
            #private::unreachable!()
        }
    };
    let own = input.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let parameters = input.generics.type_params().map(|param| &param.ident);
    let where_clause = hygienic!(where #(#own,)* #(#parameters: 'static,)*);
    let implementation =
        implementation(&names, &input.ident, &input.generics, &where_clause, &items);
    let errors = error.to_compile_error();
    hygienic!(#errors #implementation)
}
