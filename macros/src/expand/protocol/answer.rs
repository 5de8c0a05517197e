//! The answers of calls: message types of their own.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::flavor::allowed;
use crate::call::{Call, Protocol, Reply};
use crate::expand::implementation::{implementation, in_block, message};
use crate::expand::mistaken::mistaken;
use crate::hygiene::{hygienic, hygienic_at};
use crate::lifetime;

/// Returns the message type.
pub(super) fn declaration(protocol: &Protocol<'_>, call: &Call<'_>, reply: &Reply) -> TokenStream {
    let Reply { ident, generics, value, error, .. } = reply;
    let (vis, allowed, lints) = (protocol.vis, allowed(protocol), &call.lints);
    let docs = format!(" The answer to [`{}`].", path(protocol, call));
    let err = error.as_ref().map(|error| {
        hygienic! {
            /// The call failed.
            Err(#error),
        }
    });
    let message = match protocol.is_mistaken {
        false => message(&reply.container(protocol, call)),
        true => {
            let borrowed = match reply.is_borrowing() {
                true => hygienic!(#ident<'__frame>),
                false => hygienic!(Self),
            };
            let none = TokenStream::new();
            let message = implementation(ident, generics, &none, &none, &borrowed, &mistaken());
            in_block(protocol.message.krate.as_ref(), &message)
        }
    };
    hygienic! {
        #[doc = #docs]
        #allowed
        #lints
        #vis enum #ident #generics {
            /// The call succeeded.
            Ok(#value),
            #err
        }

        #message
    }
}

/// Returns the implementations of the message type, for the block.
pub(super) fn implementations(
    protocol: &Protocol<'_>,
    call: &Call<'_>,
    reply: &Reply,
) -> TokenStream {
    let Reply { ident, generics, value, error, .. } = reply;
    let (allowed, lints) = (allowed(protocol), &call.lints);
    // The compiler reports a private type here.
    let at_frame = |name, ty: &syn::Type| {
        let name = Ident::new(name, Span::mixed_site());
        let at_frame = lifetime::replace(ty, &protocol.lifetime, &hygienic!('__frame));
        hygienic_at!(ty.span() => type #name<'__frame> = #at_frame;)
    };
    let value = at_frame("Value", value);
    let (error_type, show_err, into_err, from_err) = match error {
        Some(error) => (
            at_frame("Error", error),
            hygienic!(Self::Err(..) => "Err",),
            hygienic!(#ident::Err(__error) => __private::Err(__error),),
            hygienic!(__private::Err(__error) => #ident::Err(__error),),
        ),
        None => (
            hygienic!(
                type Error<'__frame> = __private::Infallible;
            ),
            TokenStream::new(),
            TokenStream::new(),
            hygienic!(__private::Err(__never) => match __never {},),
        ),
    };
    // Written like in the trait: there, too, only projections name the lifetime.
    let borrowed = hygienic!(<Self as __private::Message>::Borrowed<'__frame>);
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    hygienic! {
        #[automatically_derived]
        #allowed
        #lints
        impl #impl_generics __private::Reply for #ident #ty_generics {
            #value
            #error_type

            fn into_result<'__frame>(
                __reply: #borrowed,
            ) -> __private::Result<Self::Value<'__frame>, Self::Error<'__frame>> {
                match __reply {
                    #ident::Ok(__value) => __private::Ok(__value),
                    #into_err
                }
            }

            fn from_result<'__frame>(
                __result: __private::Result<Self::Value<'__frame>, Self::Error<'__frame>>,
            ) -> #borrowed {
                match __result {
                    __private::Ok(__value) => #ident::Ok(__value),
                    #from_err
                }
            }
        }

        #[automatically_derived]
        impl #impl_generics __private::Debug for #ident #ty_generics {
            fn fmt(&self, __f: &mut __private::Formatter<'_>) -> __private::fmt::Result {
                let __variant = match self {
                    Self::Ok(..) => "Ok",
                    #show_err
                };
                __private::DebugTuple::finish_non_exhaustive(
                    &mut __private::Formatter::debug_tuple(__f, __variant),
                )
            }
        }
    }
}

/// Returns the path of a variant, for links in docs.
pub(super) fn path(protocol: &Protocol<'_>, call: &Call<'_>) -> String {
    format!("{}::{}", protocol.message.ident.unraw(), call.variant.ident.unraw())
}
