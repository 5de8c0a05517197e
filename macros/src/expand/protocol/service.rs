//! Services, which pass each call to a handler.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;

use super::flavor::{Flavor, allowed};
use crate::call::{Call, Returns};
use crate::expand::names::{binding, bindings};
use crate::hygiene::hygienic;
use crate::lifetime;

/// Returns the type of a service.
pub(super) fn declaration(flavor: &Flavor<'_>) -> TokenStream {
    let protocol = flavor.protocol;
    let (vis, allowed) = (protocol.vis, allowed(protocol));
    let (handler, service) = (flavor.handler(), flavor.service());
    let docs = format!(" Serves [`{}`] with a [`{handler}`].", protocol.message.ident.unraw());
    hygienic! {
        #[doc = #docs]
        #allowed
        #vis struct #service<H>(
            /// The handler.
            #vis H,
        );
    }
}

/// Returns the implementations of a service, for the block.
pub(super) fn implementations(flavor: &Flavor<'_>) -> TokenStream {
    let protocol = flavor.protocol;
    let (allowed, handler, service) = (allowed(protocol), flavor.handler(), flavor.service());
    let module = flavor.module(&hygienic!(__private));
    let message = protocol.message_with(&hygienic!('static));
    let (name, ident) = (service.to_string(), protocol.message.ident);
    let arms = protocol.calls.iter().map(|call| arm(flavor, &module, call));
    let other = protocol.message.other().map(|other| {
        let variant = other.ident;
        hygienic!(#ident::#variant { .. } => #module::Answering::not_supported(__answering),)
    });
    let opened = match protocol.is_mistaken {
        true => hygienic!(_ = __call; __private::mistaken()),
        false => hygienic! {
            let __private::Some((__cx, __request, __answering)) = #module::Call::open(&mut __call) else {
                return;
            };
            match __request {
                #(#arms)*
                #other
            }
        },
    };
    let mutable = (!protocol.is_mistaken).then(|| hygienic!(mut));
    let (this, returned, body) = match flavor.is_tokio {
        true => (
            hygienic!(self: __private::Arc<Self>),
            Some(hygienic!(-> impl __private::Future<Output = ()> + __private::Send + 'static)),
            hygienic!(async move { #opened }),
        ),
        false => (hygienic!(&self), None, opened),
    };
    // The task of a call owns the handler.
    let owned = flavor.is_tokio.then(|| hygienic!(+ 'static));
    // Names with the span of the user's type: if a type is not a handler, the compiler then mentions no bounds of a
    // derive, and does not advise implementing the trait by hand.
    let served = if flavor.is_tokio { "__TokioService" } else { "__Service" };
    let [served, parameter] = [served, "__H"].map(|name| Ident::new(name, ident.span()));
    let served_by = quote_spanned!(ident.span() => #service<#parameter>);
    hygienic! {
        use #module::Service as #served;

        #[automatically_derived]
        #allowed
        impl<#parameter: #handler #owned> #served for #served_by {
            type Protocol = #message;

            fn handle(#this, #mutable __call: #module::Call<#message>) #returned {
                #body
            }
        }

        #[automatically_derived]
        impl<__H> __private::Debug for #service<__H> {
            fn fmt(&self, __f: &mut __private::Formatter<'_>) -> __private::fmt::Result {
                __private::DebugTuple::finish_non_exhaustive(
                    &mut __private::Formatter::debug_tuple(__f, #name),
                )
            }
        }
    }
}

/// Returns the arm of one call.
fn arm(flavor: &Flavor<'_>, module: &TokenStream, call: &Call<'_>) -> TokenStream {
    let protocol = flavor.protocol;
    let Call { variant, method, returns, .. } = call;
    let (ident, name, bindings) = (protocol.message.ident, variant.ident, bindings(variant));
    let handler = flavor.handler();
    let values = (0..variant.fields.len()).map(binding);
    let values = hygienic!(#(#values,)*);
    let awaited = flavor.is_tokio.then(|| hygienic!(.await));
    let handled =
        |answer: TokenStream| hygienic!(#handler::#method(&self.0, &__cx, #values #answer)#awaited);
    let answered = match returns {
        Returns::Nothing => {
            let handled = handled(TokenStream::new());
            hygienic! {
                #handled;
                #module::Answering::nothing(__answering)
            }
        }
        Returns::Items(items) => {
            let items = lifetime::replace(items, &protocol.lifetime, &hygienic!('static));
            let handled = handled(hygienic!(__items));
            hygienic! {
                let (__items, __handling) = #module::items::<#items>(__answering);
                #handled;
                #module::Handling::done(__handling)
            }
        }
        Returns::Reply(reply) if reply.is_borrowing() => {
            let ident = &reply.ident;
            handled(hygienic!(#module::Answering::responder::<#ident<'static>>(__answering)))
        }
        Returns::Reply(reply) => {
            let ident = &reply.ident;
            let handled = handled(TokenStream::new());
            let result = match reply.error {
                Some(_) => handled,
                None => hygienic!(__private::Ok(#handled)),
            };
            hygienic! {
                let __result = #result;
                #module::Answering::reply::<#ident>(__answering, __result)
            }
        }
    };
    hygienic!(#ident::#name { #bindings } => { #answered })
}
