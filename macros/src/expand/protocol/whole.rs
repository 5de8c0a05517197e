//! The expansion of a protocol as a whole.

use proc_macro2::TokenStream;

use super::flavor::{Flavor, allowed, private};
use super::{answer, client, handler, service};
use crate::call::{Call, Protocol, Returns};
use crate::expand::implementation::in_block;
use crate::hygiene::hygienic;
use crate::lifetime;

/// Returns everything that the derive generates for a protocol.
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
    let taken_apart = replies.map(|(call, reply)| answer::implementations(protocol, call, reply));
    let called = flavors.iter().map(|flavor| {
        let client = client::implementations(flavor);
        let service = service::implementations(flavor);
        flavor.if_available(&hygienic!(__private), hygienic!(#client #service))
    });
    let items = hygienic!(#implemented #(#taken_apart)* #(#called)*);
    let block = in_block(protocol.message.krate.as_ref(), &items);
    let written = written(protocol, &private);
    hygienic!(#written #(#answers)* #(#named)* #block)
}

/// Returns an implementation that the compiler refuses if the type of an answer has a hidden lifetime. It comes first,
/// because for this code the compiler says to write `<'_>`. Elsewhere, it proposes names that the user does not know.
fn written(protocol: &Protocol<'_>, private: &TokenStream) -> Option<TokenStream> {
    let types = protocol.calls.iter().flat_map(|call| match &call.returns {
        Returns::Nothing => [None, None],
        Returns::Items(items) => [Some(&**items), None],
        Returns::Reply(reply) => [Some(&reply.value), reply.error.as_ref()],
    });
    let types = types.flatten().map(|ty| lifetime::elide(ty, &protocol.lifetime));
    let types: Vec<_> = types.collect();
    let message = protocol.message;
    let (ident, (impl_generics, ty_generics, where_clause)) =
        (message.ident, message.generics.split_for_impl());
    let allowed = allowed(protocol);
    let lints = protocol.calls.iter().map(|call| &call.lints);
    (!types.is_empty()).then(|| {
        hygienic! {
            #[doc(hidden)]
            #[automatically_derived]
            #allowed
            #(#lints)*
            impl #impl_generics #private::AnsweredWith<(#(*const #types,)*)> for #ident #ty_generics #where_clause {}
        }
    })
}

/// Returns the implementation of `Protocol`.
fn implementation(protocol: &Protocol<'_>) -> TokenStream {
    let message = protocol.message;
    let (ident, (impl_generics, ty_generics, where_clause)) =
        (message.ident, message.generics.split_for_impl());
    let calls = || protocol.calls.iter().filter(|_| !protocol.is_mistaken);
    let answers = calls().filter_map(|call| type_of(protocol, call));
    let answers = answers.map(|answer| hygienic!(|| <#answer as __private::Message>::DESCRIPTORS));
    let allowed = allowed(protocol);
    let returns = calls().map(|call| {
        let tag = call.variant.tag.number;
        let answer = type_of(protocol, call);
        let returns = match &call.returns {
            Returns::Nothing => hygienic!(nothing()),
            Returns::Items(_) => hygienic!(items::<#answer>()),
            Returns::Reply(_) => hygienic!(answer::<#answer>()),
        };
        hygienic!(#tag => __private::Returns::#returns,)
    });
    hygienic! {
        #[automatically_derived]
        #allowed
        impl #impl_generics __private::Protocol for #ident #ty_generics #where_clause {
            const ANSWER_DESCRIPTORS: __private::bool = false #(#answers)*;

            fn returns(__tag: __private::u32) -> __private::Returns {
                match __tag {
                    #(#returns)*
                    _ => __private::Returns::unknown(),
                }
            }
        }
    }
}

/// Returns the message type that answers a call: its answer, or its items.
fn type_of(protocol: &Protocol<'_>, call: &Call<'_>) -> Option<TokenStream> {
    match &call.returns {
        Returns::Nothing => None,
        Returns::Items(items) => {
            Some(lifetime::replace(items, &protocol.lifetime, &hygienic!('static)))
        }
        Returns::Reply(reply) => {
            let (ident, lifetime) = (&reply.ident, reply.is_borrowing());
            let lifetime = lifetime.then(|| hygienic!(<'static>));
            Some(hygienic!(#ident #lifetime))
        }
    }
}
