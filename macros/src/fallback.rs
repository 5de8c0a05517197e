//! The output if there are errors: an implementation that type-checks, so that a missing one causes no further
//! errors.

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Error, Path};

use crate::expand::{at_frame, implementation, in_block, mistaken};
use crate::hygiene::hygienic;
use crate::kind;

/// Returns the errors, and an implementation that never runs.
pub(crate) fn message(input: &DeriveInput, krate: Option<&Path>, error: &Error) -> TokenStream {
    let errors = error.to_compile_error();
    if has_no_size(input) {
        return errors;
    }
    let items = mistaken();
    let own = input.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let parameters = input.generics.type_params().map(|param| &param.ident);
    let where_clause = hygienic!(where #(#own,)* #(#parameters: 'static,)*);
    let borrowed = match input.generics.lifetimes().next() {
        Some(_) => at_frame(&input.ident, &input.generics, &[]),
        None => hygienic!(Self),
    };
    let (ident, generics) = (&input.ident, &input.generics);
    let allowed = TokenStream::new();
    let implementation =
        implementation(ident, generics, &where_clause, &allowed, &borrowed, &items);
    let block = in_block(krate, &implementation);
    hygienic!(#errors #block)
}

/// Returns whether the type is a struct without a known size, which cannot implement the trait.
fn has_no_size(input: &DeriveInput) -> bool {
    let Data::Struct(data) = &input.data else { return false };
    data.fields.iter().next_back().is_some_and(|field| {
        kind::instead_of_unsized(&field.ty, "").is_some() || kind::hides_type(&field.ty)
    })
}
