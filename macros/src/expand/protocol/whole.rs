//! The expansion of a protocol as a whole.

use proc_macro2::TokenStream;

use super::flavor::{Flavor, allowed, private};
use super::{answer, client, handler, service};
use crate::call::{Protocol, Returns};
use crate::expand::implementation::in_block;
use crate::hygiene::hygienic;
use crate::lifetime;

/// Returns everything that the derive makes of a protocol.
pub(crate) fn protocol(protocol: &Protocol<'_>) -> TokenStream {
    let private = private(protocol);
    let replies = protocol.calls.iter().filter_map(|call| match &call.returns {
        Returns::Reply(reply) => Some((call, reply)),
        Returns::Items(_) | Returns::Nothing => None,
    });
    let answers = replies.clone().map(|(call, reply)| answer::declaration(protocol, call, reply));
    let flavors = Flavor::both(protocol);
    let named = flavors.iter().map(|flavor| {
        let client = client::declaration(flavor, &private);
        let handler = handler::declaration(flavor, &private);
        let service = service::declaration(flavor);
        flavor.if_available(&private, hygienic!(#client #handler #service))
    });

    let implemented = implementation(protocol);
    let taken_apart = replies.map(|(_, reply)| answer::implementations(protocol, reply));
    let called = flavors.iter().map(|flavor| {
        let client = client::implementations(flavor);
        let service = service::implementations(flavor);
        flavor.if_available(&hygienic!(__private), hygienic!(#client #service))
    });
    let items = hygienic!(#implemented #(#taken_apart)* #(#called)*);
    let block = in_block(protocol.message.krate.as_ref(), &items);
    hygienic!(#(#answers)* #(#named)* #block)
}

/// Returns the implementation of `Protocol`.
fn implementation(protocol: &Protocol<'_>) -> TokenStream {
    let message = protocol.message;
    let (ident, (impl_generics, ty_generics, where_clause)) =
        (message.ident, message.generics.split_for_impl());
    let calls = || protocol.calls.iter().filter(|_| !protocol.is_mistaken);
    let answers = calls().filter_map(|call| {
        let answer = match &call.returns {
            Returns::Nothing => return None,
            Returns::Items(items) => {
                lifetime::replace(items, &protocol.lifetime, &hygienic!('static))
            }
            Returns::Reply(reply) => {
                let (ident, lifetime) = (&reply.ident, reply.is_borrowing());
                let lifetime = lifetime.then(|| hygienic!(<'static>));
                hygienic!(#ident #lifetime)
            }
        };
        Some(hygienic!(|| <#answer as __private::Message>::DESCRIPTORS))
    });
    let allowed = allowed(protocol);
    let with_items = calls().filter(|call| matches!(call.returns, Returns::Items(_)));
    let with_items: Vec<_> = with_items.map(|call| call.variant.tag.number).collect();
    let has_items = match with_items.is_empty() {
        true => hygienic! {
            fn has_items(_: __private::u32) -> __private::bool {
                false
            }
        },
        false => hygienic! {
            fn has_items(__tag: __private::u32) -> __private::bool {
                match __tag {
                    #(#with_items)|* => true,
                    _ => false,
                }
            }
        },
    };
    hygienic! {
        #[automatically_derived]
        #allowed
        impl #impl_generics __private::Protocol for #ident #ty_generics #where_clause {
            const ANSWER_DESCRIPTORS: __private::bool = false #(#answers)*;

            #has_items
        }
    }
}
