//! Handler traits: a function for each call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::answer::path;
use super::flavor::{Flavor, allowed, docs, unusual};
use crate::call::{Argument, Call, Returns};
use crate::hygiene::{hygienic, hygienic_at, located_at};
use crate::lifetime;
use crate::types::ungroup;

/// Returns the trait. `private` is the path of the runtime's module for derived code.
pub(super) fn declaration(flavor: &Flavor<'_>, private: &TokenStream) -> TokenStream {
    let protocol = flavor.protocol;
    let (vis, allowed, handler) = (protocol.vis, allowed(protocol), flavor.handler());
    let functions = protocol.calls.iter().map(|call| function(flavor, private, call));
    let docs = format!(
        " The calls of [`{}`], as a server implements them. [`{}`] makes a handler a service.",
        protocol.message.ident.unraw(),
        flavor.service(),
    );
    hygienic! {
        #[doc = #docs]
        #allowed
        #vis trait #handler: #private::Send + #private::Sync {
            #(#functions)*
        }
    }
}

fn function(flavor: &Flavor<'_>, private: &TokenStream, call: &Call<'_>) -> TokenStream {
    let protocol = flavor.protocol;
    let Call { variant, method, arguments, returns, lints, .. } = call;
    let parameters = arguments.iter().map(|Argument { name, ty, .. }| hygienic!(#name: #ty));
    // If a handler has the wrong arguments, the error is here. If it does not take its responder or its items, the error
    // is at the type in `reply` or `items`.
    let at = match returns {
        Returns::Reply(reply) if !reply.is_borrowing() => variant.ident.span(),
        _ => span(call),
    };
    let module = located_at(&flavor.module(private), at);
    let (answer, value) = match returns {
        Returns::Nothing => (None, None),
        Returns::Items(items) => {
            let items = lifetime::replace(items, &protocol.lifetime, &hygienic!('static));
            let name = apart_from(arguments, "items");
            (Some(hygienic_at!(at => #name: #module::ItemSender<#items>)), None)
        }
        Returns::Reply(reply) if reply.is_borrowing() => {
            let ident = &reply.ident;
            let name = apart_from(arguments, "responder");
            (Some(hygienic_at!(at => #name: #module::Responder<#ident<'static>>)), None)
        }
        Returns::Reply(reply) => {
            let value = &reply.value;
            match &reply.error {
                Some(error) => (None, Some(hygienic!(#private::Result<#value, #error>))),
                None if is_unit(value) => (None, None),
                None => (None, Some(value.to_token_stream())),
            }
        }
    };
    let returned = match (flavor.is_tokio, value) {
        (true, value) => {
            let value = value.unwrap_or_else(|| hygienic!(()));
            // The compiler reports a private type, and a future that is not `Send`, here.
            let span = span(call);
            let private = located_at(private, span);
            Some(hygienic_at!(span => -> impl #private::Future<Output = #value> + #private::Send))
        }
        (false, Some(value)) => Some(hygienic!(-> #value)),
        (false, None) => None,
    };
    let cx = apart_from(arguments, "cx");
    let taken = hygienic_at!(at => &self, #cx: &#module::Context);
    let many = (arguments.len() > 4).then(|| hygienic!(#[allow(clippy::too_many_arguments)]));
    let (docs, unusual) = (docs(protocol, call), unusual(method));
    let what = format!(" Handles [`{}`].", path(protocol, call));
    let blank = (!call.docs.is_empty()).then(|| hygienic!(#[doc = ""]));
    hygienic! {
        #docs
        #blank
        #[doc = #what]
        #lints
        #many
        #unusual
        fn #method(#taken, #(#parameters,)* #answer) #returned;
    }
}

/// Returns the span of the type in `reply` or `items`, or of the variant.
fn span(call: &Call<'_>) -> Span {
    match &call.returns {
        Returns::Nothing => call.variant.ident.span(),
        Returns::Reply(reply) => reply.value.span(),
        Returns::Items(items) => items.span(),
    }
}

/// Returns a name that no argument has.
fn apart_from(arguments: &[Argument<'_>], name: &str) -> Ident {
    let mut ident = Ident::new(name, Span::mixed_site());
    while arguments.iter().any(|argument| argument.name == ident) {
        ident = Ident::new(&format!("{ident}_"), Span::mixed_site());
    }
    ident
}

fn is_unit(ty: &Type) -> bool {
    matches!(ungroup(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}
