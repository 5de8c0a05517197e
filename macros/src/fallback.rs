//! The output if there are errors: an implementation that type-checks, so that a missing one causes no further
//! errors.

use proc_macro2::TokenStream;
use syn::{DeriveInput, Error, Path};

use crate::expand::{at_frame, implementation, in_block, mistaken};
use crate::hygiene::hygienic;

/// Returns the errors, and an implementation that never runs.
pub(crate) fn message(input: &DeriveInput, krate: Option<&Path>, error: &Error) -> TokenStream {
    let items = mistaken();
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
