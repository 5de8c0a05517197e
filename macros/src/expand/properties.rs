//! The properties of a message: its tag, its name, and whether it can carry descriptors.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;

use super::names::matched;
use crate::ast::{Container, Data, Kept, Variant};
use crate::field::Form;
use crate::hygiene::hygienic;
use crate::nest::Inner;

pub(super) fn tag(container: &Container<'_>) -> TokenStream {
    let body = match &container.data {
        Data::Struct(variant) => {
            let number = variant.tag.number;
            hygienic!(#number)
        }
        Data::Enum { variants, other, .. } => {
            let arms = variants.iter().map(|Variant { ident, tag, .. }| {
                let number = tag.number;
                hygienic!(Self::#ident { .. } => #number,)
            });
            let other = other.as_ref().map(|other| {
                let ident = other.ident;
                match other.kept {
                    // No message has the tag 0.
                    Kept::Nothing => hygienic!(Self::#ident {} => 0,),
                    Kept::Lent | Kept::Owned => hygienic! {
                        Self::#ident { 0: __unknown } => __private::Unknown::tag(__unknown),
                    },
                }
            });
            let matched = matched(container);
            hygienic!(match #matched { #(#arms)* #other })
        }
    };
    hygienic! {
        #[inline]
        fn tag(&self) -> __private::u32 {
            #body
        }
    }
}

pub(super) fn name(container: &Container<'_>) -> TokenStream {
    let body = match &container.data {
        Data::Struct(variant) => {
            let name = variant.ident.unraw().to_string();
            hygienic!(#name)
        }
        Data::Enum { variants, other, .. } => {
            let idents = variants.iter().map(|variant| variant.ident);
            let idents = idents.chain(other.as_ref().map(|other| other.ident));
            let arms = idents.map(|ident| {
                let name = ident.unraw().to_string();
                hygienic!(Self::#ident { .. } => #name,)
            });
            let matched = matched(container);
            hygienic!(match #matched { #(#arms)* })
        }
    };
    hygienic! {
        #[inline]
        fn name(&self) -> &'static __private::str {
            #body
        }
    }
}

/// Returns whether the message can carry descriptors: in its own fields, or in nested messages. A nested message
/// in a `Box` or a `Vec` may hold this one again, so its constant cannot be used here.
pub(super) fn descriptors(container: &Container<'_>) -> Option<TokenStream> {
    if container.has_descriptors() {
        return Some(hygienic!(
            const DESCRIPTORS: __private::bool = true;
        ));
    }
    let of_type = |ty| hygienic!(<__private::NestedType<#ty>>::DESCRIPTORS);
    let nested = container.fields().filter_map(|field| match field.form {
        Form::Answer => Some(of_type(field.ty)),
        Form::Nested(_) => match Inner::of(field.ty) {
            inner if inner.is(container.ident) => None,
            Inner { is_indirect: true, .. } => Some(hygienic!(true)),
            Inner { ty, is_indirect: false } => Some(of_type(ty)),
        },
        _ => None,
    });
    let nested: Vec<_> = nested.collect();
    (!nested.is_empty()).then(|| hygienic!(const DESCRIPTORS: __private::bool = #(#nested)||*;))
}
