//! Names for both writing and reading: variants with their fields, and the functions for slices.

use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;
use syn::Member;

use crate::ast::{Container, Variant};
use crate::hygiene::hygienic;
use crate::kind::{Content, Slice};

/// Returns the value to match against the variants. For an enum without variants, a match on the reference would
/// need an arm.
pub(super) fn matched(container: &Container<'_>) -> TokenStream {
    match container.is_empty() {
        true => hygienic!(*self),
        false => hygienic!(self),
    }
}

/// Returns `name: __field_0, other: __field_1`, which is a pattern and an expression for every shape of variant.
pub(super) fn bindings(variant: &Variant<'_>) -> TokenStream {
    let bindings = variant.fields.iter().enumerate().map(|(index, field)| {
        let (member, binding): (&Member, _) = (&field.member, binding(index));
        hygienic!(#member: #binding)
    });
    hygienic!(#(#bindings),*)
}

pub(super) fn binding(index: usize) -> Ident {
    format_ident!("__field_{index}", span = Span::mixed_site())
}

/// Returns the name of the functions that encode and decode a slice.
pub(super) fn function_of(slice: Slice) -> TokenStream {
    match (slice.content, slice.optional) {
        (Content::Bytes, false) => hygienic!(bytes),
        (Content::Bytes, true) => hygienic!(optional_bytes),
        (Content::Text, false) => hygienic!(text),
        (Content::Text, true) => hygienic!(optional_text),
    }
}
