//! The context of the derived functions: the message type, and how it borrows from a frame.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{GenericParam, Generics};

use crate::ast::Container;
use crate::bound;
use crate::hygiene::hygienic;
use crate::nest::without_self;

/// The context of the derived functions.
pub(super) struct Context<'c> {
    pub(super) container: &'c Container<'c>,
    pub(super) codec: TokenStream,
    pub(super) where_clause: TokenStream,
    /// The type parameters of `nested` fields, whose messages borrow from the frame.
    pub(super) lent: Vec<&'c Ident>,
}

impl Context<'_> {
    /// Returns the message type, or another type with its parameters, with the lifetime of the frame.
    pub(super) fn at_frame(&self, ident: &Ident) -> TokenStream {
        at_frame(ident, self.container.generics, &self.lent)
    }

    /// Returns the type of a field with the lifetime of the frame. `Self` in it becomes the message type with that
    /// lifetime.
    pub(super) fn type_at_frame(&self, ty: &syn::Type) -> TokenStream {
        let this = self.at_frame(self.container.ident);
        without_self(bound::at_frame(self.container, &self.lent, ty.to_token_stream()), &this)
    }

    /// Returns whether the functions that read also take descriptors, for `fd` fields or nested messages.
    pub(super) fn takes_descriptors(&self) -> bool {
        self.container.has_descriptors() || self.container.has_nested()
    }
}

/// Returns the type with the lifetime of the frame in place of each of its lifetimes.
pub(crate) fn at_frame(ident: &Ident, generics: &Generics, lent: &[&Ident]) -> TokenStream {
    let arguments = generics.params.iter().map(|param| match param {
        GenericParam::Lifetime(_) => hygienic!('__frame),
        GenericParam::Type(param) if lent.contains(&&param.ident) => {
            let ident = &param.ident;
            hygienic!(<#ident as __private::Message>::Borrowed<'__frame>)
        }
        GenericParam::Type(param) => param.ident.to_token_stream(),
        GenericParam::Const(param) => param.ident.to_token_stream(),
    });
    match generics.params.is_empty() {
        true => hygienic!(#ident),
        false => hygienic!(#ident<#(#arguments),*>),
    }
}
