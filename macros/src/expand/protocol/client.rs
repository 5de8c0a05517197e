//! Clients: a method for each call.

use proc_macro2::TokenStream;
use syn::Member;
use syn::ext::IdentExt;

use super::answer::path;
use super::flavor::{Flavor, allowed, docs, unusual};
use crate::call::{Argument, Call, Returns};
use crate::hygiene::hygienic;
use crate::lifetime;

/// Returns the type of a client. `private` is the path of the runtime's module for derived code.
pub(super) fn declaration(flavor: &Flavor<'_>, private: &TokenStream) -> TokenStream {
    let protocol = flavor.protocol;
    let (vis, allowed, client, module) =
        (protocol.vis, allowed(protocol), flavor.client(), flavor.module(private));
    let message = protocol.message_with(&hygienic!('static));
    let docs = format!(
        " A client of [`{}`]. Clones share the connection.",
        protocol.message.ident.unraw()
    );
    hygienic! {
        #[doc = #docs]
        #allowed
        #vis struct #client {
            calls: #module::Client<#message>,
        }
    }
}

/// Returns the methods and the implementations of a client, for the block.
pub(super) fn implementations(flavor: &Flavor<'_>) -> TokenStream {
    let protocol = flavor.protocol;
    let (vis, allowed, client) = (protocol.vis, allowed(protocol), flavor.client());
    let module = flavor.module(&hygienic!(__private));
    let message = protocol.message_with(&hygienic!('static));
    let name = client.to_string();
    let methods = protocol.calls.iter().map(|call| method(flavor, &module, call));
    let asynchronous = flavor.is_tokio.then(|| hygienic!(async));
    let connect = hygienic!(#module::Client::connect(address));
    let connected = match flavor.is_tokio {
        true => hygienic!(#connect.await),
        false => connect,
    };
    hygienic! {
        #[automatically_derived]
        #allowed
        impl #client {
            /// Creates a client that calls over `connection`.
            #[must_use]
            #vis fn new(
                connection: #module::Connection<#message, __private::Answers<#message>>,
            ) -> Self {
                Self { calls: #module::Client::new(connection) }
            }

            /// Connects to the server at `address`. For options, pass the connection of
            /// `Connection::connect_with` to `new`.
            ///
            /// # Errors
            ///
            /// `OpenError` if there is no server, or it cannot be reached.
            #vis #asynchronous fn connect(
                address: &__private::Address,
            ) -> __private::Result<Self, __private::OpenError> {
                match #connected {
                    __private::Ok(__calls) => __private::Ok(Self { calls: __calls }),
                    __private::Err(__error) => __private::Err(__error),
                }
            }

            /// Returns a client for the same connection whose calls fail if they have no answer at `deadline`. The
            /// deadline travels to the server.
            #[must_use]
            #vis fn deadline(&self, deadline: __private::Instant) -> Self {
                Self { calls: #module::Client::deadline(&self.calls, deadline) }
            }

            #(#methods)*
        }

        #[automatically_derived]
        #allowed
        impl __private::From<#module::Client<#message>> for #client {
            fn from(__calls: #module::Client<#message>) -> Self {
                Self { calls: __calls }
            }
        }

        /// The client that this one wraps, for what it does not have.
        #[automatically_derived]
        #allowed
        impl __private::AsRef<#module::Client<#message>> for #client {
            fn as_ref(&self) -> &#module::Client<#message> {
                &self.calls
            }
        }

        #[automatically_derived]
        #allowed
        impl __private::Clone for #client {
            fn clone(&self) -> Self {
                Self { calls: __private::Clone::clone(&self.calls) }
            }
        }

        #[automatically_derived]
        #allowed
        impl __private::Debug for #client {
            fn fmt(&self, __f: &mut __private::Formatter<'_>) -> __private::fmt::Result {
                __private::DebugTuple::finish(__private::DebugTuple::field(
                    &mut __private::Formatter::debug_tuple(__f, #name),
                    &self.calls,
                ))
            }
        }
    }
}

fn method(flavor: &Flavor<'_>, module: &TokenStream, call: &Call<'_>) -> TokenStream {
    let protocol = flavor.protocol;
    let Call { method, arguments, deprecated, lints, .. } = call;
    let vis = protocol.vis;
    let parameters = arguments.iter().map(|Argument { name, ty, .. }| match protocol.is_mistaken {
        false => hygienic!(#name: #ty),
        true => hygienic!(_: #ty),
    });
    let (result, body) = called(flavor, module, call);
    // Items are awaited one by one.
    let is_awaited = flavor.is_tokio && !matches!(call.returns, Returns::Items(_));
    let returned = match is_awaited {
        true => hygienic!(impl __private::Future<Output = #result> + __private::Send + use<>),
        false => result,
    };
    let body = match (protocol.is_mistaken, is_awaited) {
        (false, _) => body,
        (true, false) => hygienic!(__private::mistaken()),
        (true, true) => hygienic!(async { __private::mistaken() }),
    };
    // clippy's limit, with `self`.
    let many = (arguments.len() > 6).then(|| hygienic!(#[allow(clippy::too_many_arguments)]));
    let (docs, unusual) = (docs(protocol, call), unusual(method));
    let what = format!(" Calls [`{}`].", path(protocol, call));
    let blank = (!call.docs.is_empty()).then(|| hygienic!(#[doc = ""]));
    hygienic! {
        #docs
        #blank
        #[doc = #what]
        ///
        /// # Errors
        ///
        /// `CallError`, whose `outcome` says whether the call was executed.
        #deprecated
        #lints
        #many
        #unusual
        #vis fn #method(&self, #(#parameters),*) -> #returned {
            #body
        }
    }
}

/// Returns the result of a call, and the expression that makes the call.
fn called(
    flavor: &Flavor<'_>,
    module: &TokenStream,
    call: &Call<'_>,
) -> (TokenStream, TokenStream) {
    let protocol = flavor.protocol;
    let request = request(flavor, call);
    let client = hygienic!(#module::Client);
    match &call.returns {
        Returns::Nothing => (
            hygienic!(__private::Result<(), __private::CallError>),
            hygienic!(#client::notify(&self.calls, #request)),
        ),
        Returns::Items(items) => {
            let message = protocol.message_with(&hygienic!('static));
            let items = lifetime::replace(items, &protocol.lifetime, &hygienic!('static));
            let received = hygienic!(#module::Items<#message, #items>);
            (
                hygienic!(__private::Result<#received, __private::CallError>),
                hygienic!(#client::items::<#items>(&self.calls, #request)),
            )
        }
        Returns::Reply(reply) if reply.is_borrowing() => {
            let ident = &reply.ident;
            let answer = hygienic!(__private::Answer<#ident<'static>>);
            (
                hygienic!(__private::Result<#answer, __private::CallError>),
                hygienic!(#client::call::<#ident<'static>>(&self.calls, #request)),
            )
        }
        Returns::Reply(reply) => {
            let (ident, value) = (&reply.ident, &reply.value);
            let error = reply.error.as_ref().map(|error| hygienic!(<#error>));
            let answer = hygienic!(#client::call::<#ident>(&self.calls, #request));
            (
                hygienic!(__private::Result<#value, __private::CallError #error>),
                hygienic!(#module::owned::<#ident, _, _>(#answer)),
            )
        }
    }
}

/// Returns the expression that makes the message of a call from its arguments.
fn request(flavor: &Flavor<'_>, call: &Call<'_>) -> TokenStream {
    let (ident, variant) = (flavor.protocol.message.ident, call.variant.ident);
    let fields = call.arguments.iter().map(|Argument { member, name, .. }| match member {
        Member::Named(_) => hygienic!(#name),
        Member::Unnamed(index) => hygienic!(#index: #name),
    });
    hygienic!(&#ident::#variant { #(#fields),* })
}
