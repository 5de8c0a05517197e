//! The output if there are errors: an implementation that type-checks, so that a missing one causes no further
//! errors.

use proc_macro2::TokenStream;
use syn::{DeriveInput, Error, Path};

use crate::expand::{at_frame, implementation, in_block};
use crate::hygiene::hygienic;

/// Returns the errors, and an implementation that never runs.
pub(crate) fn message(input: &DeriveInput, krate: Option<&Path>, error: &Error) -> TokenStream {
    let items = hygienic! {
        fn tag(&self) -> __private::u32 {
            __private::mistaken()
        }
        fn name(&self) -> &'static __private::str {
            __private::mistaken()
        }
        fn tag_of(
            __frame: &[__private::u8],
        ) -> __private::Result<__private::u32, __private::DecodeError> {
            __private::mistaken()
        }
        fn encode<'__message>(
            &'__message self,
            __encoder: &mut __private::Encoder<'__message>,
        ) -> __private::Result<(), __private::EncodeError> {
            __private::mistaken()
        }
        fn decode<'__frame>(
            __frame: &'__frame [__private::u8],
        ) -> __private::Result<<Self as __private::Message>::Borrowed<'__frame>, __private::DecodeError> {
            __private::mistaken()
        }
    };
    let own = input.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let parameters = input.generics.type_params().map(|param| &param.ident);
    let where_clause = hygienic!(where #(#own,)* #(#parameters: 'static,)*);
    let borrowed = match input.generics.lifetimes().next() {
        Some(_) => at_frame(&input.ident, &input.generics, &[]),
        None => hygienic!(Self),
    };
    let (ident, generics) = (&input.ident, &input.generics);
    let implementation = implementation(ident, generics, &where_clause, &borrowed, &items);
    let errors = error.to_compile_error();
    let block = in_block(krate, &implementation);
    hygienic!(#errors #block)
}
