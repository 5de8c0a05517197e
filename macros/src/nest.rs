//! The types of `nested` fields: finds the message in them, and replaces lifetimes and `Self`.

use std::cell::Cell;
use std::mem;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Generics, Ident, Lifetime, PathArguments, Type};

use crate::hygiene::hygienic;
use crate::types::{is_static, ungroup};

/// The message in the type of a `nested` field, and whether it is in a `Box` or a `Vec`. If it is, the message may
/// hold itself.
pub(crate) struct Inner<'t> {
    pub(crate) ty: &'t Type,
    pub(crate) is_indirect: bool,
}

impl<'t> Inner<'t> {
    pub(crate) fn of(ty: &'t Type) -> Self {
        let mut inner = Self { ty: ungroup(ty), is_indirect: false };
        while let Some((holder, held)) = holder(inner.ty) {
            inner.is_indirect |= holder != "Option";
            inner.ty = ungroup(held);
        }
        inner
    }

    /// Returns the type parameter that stands for the message, if there is one.
    pub(crate) fn parameter(&self, generics: &Generics) -> Option<&'t Ident> {
        let Type::Path(path) = self.ty else { return None };
        let ident = path.path.get_ident().filter(|_| path.qself.is_none())?;
        generics.type_params().any(|param| param.ident == *ident).then_some(ident)
    }

    /// Returns whether the message is the type `ident`, by that name or as `Self`.
    pub(crate) fn is(&self, ident: &Ident) -> bool {
        let Type::Path(path) = self.ty else { return false };
        // In another module, the same name may be another type.
        let mut segments = path.path.segments.iter();
        let (Some(only), None) = (segments.next(), segments.next()) else { return false };
        only.ident == *ident || only.ident == "Self"
    }
}

/// Returns `Option`, `Vec` or `Box`, and the type that it holds.
fn holder(ty: &Type) -> Option<(&Ident, &Type)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|_| path.qself.is_none())?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(held))
            if ["Option", "Vec", "Box"].iter().any(|name| last.ident == name) =>
        {
            Some((&last.ident, held))
        }
        _ => None,
    }
}

/// Returns whether a type names a lifetime.
pub(crate) fn has_lifetime(ty: &Type) -> bool {
    names_lifetime(ty, |_| true)
}

/// Returns whether a type names `'static`, so that it cannot borrow from a frame.
pub(crate) fn has_static(ty: &Type) -> bool {
    names_lifetime(ty, is_static)
}

fn names_lifetime(ty: &Type, which: impl Fn(&Lifetime) -> bool) -> bool {
    let found = Cell::new(false);
    let lifetime = |lifetime: &Lifetime| {
        found.set(found.get() || which(lifetime));
        None
    };
    Replace { lifetime: &lifetime, ident: &|_, _| None }.all(ty.to_token_stream());
    found.get()
}

/// What to put in place of each lifetime and each identifier of a type. The `bool` says whether a path continues
/// after the identifier, as in `Self::LEN`.
pub(crate) struct Replace<'r> {
    pub(crate) lifetime: &'r dyn Fn(&Lifetime) -> Option<TokenStream>,
    pub(crate) ident: &'r dyn Fn(&Ident, bool) -> Option<TokenStream>,
}

impl Replace<'_> {
    pub(crate) fn all(&self, tokens: TokenStream) -> TokenStream {
        let mut tokens = tokens.into_iter().peekable();
        let mut replaced = TokenStream::new();
        let mut colons = 0;
        while let Some(token) = tokens.next() {
            // After `::`, a name is that of something else.
            let colons_before = mem::take(&mut colons);
            match token {
                TokenTree::Punct(colon) if colon.as_char() == ':' => {
                    colons = colons_before + 1;
                    colon.to_tokens(&mut replaced);
                }
                TokenTree::Ident(ident) if colons_before == 2 => ident.to_tokens(&mut replaced),
                TokenTree::Punct(quote) if quote.as_char() == '\'' => {
                    let Some(TokenTree::Ident(name)) = tokens.next() else { continue };
                    let lifetime = Lifetime { apostrophe: quote.span(), ident: name };
                    match (self.lifetime)(&lifetime) {
                        Some(other) => replaced.extend(other),
                        None => lifetime.to_tokens(&mut replaced),
                    }
                }
                TokenTree::Ident(ident) => {
                    let next = tokens.peek();
                    let goes_on =
                        matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
                    match (self.ident)(&ident, goes_on) {
                        Some(other) => replaced.extend(other),
                        None => ident.to_tokens(&mut replaced),
                    }
                }
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), self.all(group.stream()));
                    inner.set_span(group.span());
                    inner.to_tokens(&mut replaced);
                }
                other => other.to_tokens(&mut replaced),
            }
        }
        replaced
    }
}

/// Returns a type with `this` in place of `Self`, for a place where `Self` is another type. `<Request<'a>>::LEN` works
/// in expressions too.
pub(crate) fn without_self(ty: TokenStream, this: &TokenStream) -> TokenStream {
    let ident = |ident: &Ident, goes_on: bool| match (ident == "Self", goes_on) {
        (true, true) => Some(hygienic!(<#this>)),
        (true, false) => Some(this.clone()),
        (false, _) => None,
    };
    Replace { lifetime: &|_| None, ident: &ident }.all(ty)
}
