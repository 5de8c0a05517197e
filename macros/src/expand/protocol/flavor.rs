//! The two flavors of clients and servers: blocking and async.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, Lit, LitStr, Meta, MetaNameValue};

use crate::call::{Call, Protocol};
use crate::expand::implementation;
use crate::hygiene::hygienic;

/// A flavor of the clients and servers of one protocol.
pub(super) struct Flavor<'p> {
    pub(super) protocol: &'p Protocol<'p>,
    pub(super) is_tokio: bool,
}

impl<'p> Flavor<'p> {
    /// Returns both flavors.
    pub(super) fn both(protocol: &'p Protocol<'p>) -> [Self; 2] {
        [Self { protocol, is_tokio: false }, Self { protocol, is_tokio: true }]
    }

    /// Returns the items only if the runtime has the flavor. The derive cannot see the features of the runtime.
    pub(super) fn if_available(&self, private: &TokenStream, items: TokenStream) -> TokenStream {
        match self.is_tokio {
            true => hygienic!(#private::if_tokio! { #items }),
            false => items,
        }
    }

    /// Returns the module of the runtime with the types of the flavor.
    pub(super) fn module(&self, private: &TokenStream) -> TokenStream {
        match self.is_tokio {
            true => hygienic!(#private::tokio),
            false => hygienic!(#private::calls),
        }
    }

    pub(super) fn client(&self) -> Ident {
        self.ident("Client")
    }

    pub(super) fn handler(&self) -> Ident {
        self.ident("Handler")
    }

    pub(super) fn service(&self) -> Ident {
        self.ident("Service")
    }

    fn ident(&self, what: &str) -> Ident {
        let flavor = if self.is_tokio { "Tokio" } else { "" };
        self.protocol.ident(&format!("{flavor}{what}"))
    }
}

/// Returns the module of the runtime for derived code, by its full path.
pub(super) fn private(protocol: &Protocol<'_>) -> TokenStream {
    let krate = protocol.message.krate.as_ref();
    let krate = krate.map_or_else(|| hygienic!(::datagrammar), ToTokens::into_token_stream);
    hygienic!(#krate::__private)
}

/// Returns the attributes that allow lints.
pub(super) fn allowed(protocol: &Protocol<'_>) -> TokenStream {
    implementation::allowed(protocol.message)
}

/// Returns the attribute that allows a method whose name means something else to clippy.
pub(super) fn unusual(method: &Ident) -> Option<TokenStream> {
    match () {
        () if method == "len" => Some(hygienic!(#[allow(clippy::len_without_is_empty)])),
        () if method == "iter" || method == "iter_mut" => {
            Some(hygienic!(#[allow(clippy::iter_not_returning_iterator)]))
        }
        () => None,
    }
}

/// Returns the docs of a variant, for a method. There, `Self` is another type.
pub(super) fn docs(protocol: &Protocol<'_>, call: &Call<'_>) -> TokenStream {
    let this = format!("{}::", protocol.message.ident.unraw());
    let docs = call.docs.iter().map(|attr| match &attr.meta {
        Meta::NameValue(MetaNameValue {
            value: Expr::Lit(ExprLit { lit: Lit::Str(line), .. }),
            ..
        }) if line.value().contains("Self::") => {
            let line = LitStr::new(&line.value().replace("Self::", &this), line.span());
            hygienic!(#[doc = #line])
        }
        _ => attr.to_token_stream(),
    });
    docs.collect()
}
