//! What the generated functions have in common: the message type, and how it borrows from a frame.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{GenericParam, Generics};

use crate::ast::Container;
use crate::bound;
use crate::hygiene::hygienic;
use crate::nest::Replace;

/// What the functions have in common.
pub(super) struct Context<'c> {
    pub(super) container: &'c Container<'c>,
    pub(super) codec: TokenStream,
    pub(super) where_clause: TokenStream,
    /// The type parameters that borrow from the frame, as they are messages in this one.
    pub(super) lent: Vec<&'c Ident>,
}

impl Context<'_> {
    /// The message type, or another one with its parameters, as it borrows from the frame.
    pub(super) fn at_frame(&self, ident: &Ident) -> TokenStream {
        at_frame(ident, self.container.generics, &self.lent)
    }

    /// A field's type as it borrows from the frame, in which `Self` is the message type that does.
    pub(super) fn type_at_frame(&self, ty: &syn::Type) -> TokenStream {
        let this = self.at_frame(self.container.ident);
        without_self(bound::at_frame(self.container, &self.lent, ty.to_token_stream()), &this)
    }

    /// Whether reading takes descriptors along: its own, or those of messages in it.
    pub(super) fn takes_descriptors(&self) -> bool {
        self.container.has_descriptors() || self.container.has_nested()
    }
}

/// The type with every lifetime replaced by that of the frame.
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

/// A type that is named where there is another `Self`: `<Request<'a>>::LEN` is right in expressions too.
pub(super) fn without_self(ty: TokenStream, this: &TokenStream) -> TokenStream {
    let ident = |ident: &Ident, goes_on: bool| match (ident == "Self", goes_on) {
        (true, true) => Some(hygienic!(<#this>)),
        (true, false) => Some(this.clone()),
        (false, _) => None,
    };
    Replace { lifetime: &|_| None, ident: &ident }.all(ty)
}
