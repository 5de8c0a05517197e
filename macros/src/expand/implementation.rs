//! The implementation of `Message` as a whole, and the block around it.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Generics, Path};

use super::context::Context;
use super::properties::{descriptors, name, tag};
use super::{decode, encode};
use crate::ast::Container;
use crate::bound;
use crate::field::{Field, Form};
use crate::hygiene::{hygienic, hygienic_at};
use crate::kind::Kind;

/// Returns the implementation of `Message`.
pub(crate) fn message(container: &Container<'_>) -> TokenStream {
    let codec = container.codec.as_ref();
    let codec = codec.map_or_else(|| hygienic!(__private::Bincode), ToTokens::into_token_stream);
    let where_clause = bound::where_clause(container);
    let lent = bound::lent_parameters(container);
    let cx = Context { container, codec, where_clause, lent };

    let (tag, name) = (tag(container), name(container));
    let encode = encode::function(&cx);
    let decode = decode::functions(&cx);
    let descriptors = descriptors(container);
    let items = hygienic!(#descriptors #tag #name #encode #decode);
    // If the type is not a codec, the compiler reports it only here, and not in the functions.
    let codec = container
        .codec
        .as_ref()
        .map(|codec| hygienic_at!(codec.span() => #codec: __private::Codec,));
    let where_clause = &cx.where_clause;
    let where_clause = hygienic!(#where_clause #codec);
    let borrowed = match container.is_borrowing() || !cx.lent.is_empty() {
        true => cx.at_frame(container.ident),
        false => hygienic!(Self),
    };
    let read = decode::read(&cx);
    let (ident, (impl_generics, ty_generics, _)) =
        (container.ident, container.generics.split_for_impl());
    let allowed = allowed(container);
    let read = hygienic! {
        #[automatically_derived]
        #allowed
        impl #impl_generics #ident #ty_generics #where_clause {
            #read
        }
    };
    let implementation = implementation(
        container.ident,
        container.generics,
        &where_clause,
        &allowed,
        &borrowed,
        &items,
    );
    let asks = |field: &Field<'_>| {
        matches!(
            field.form,
            Form::Plain(Kind::Plain | Kind::ByType | Kind::Elements) | Form::Answer
        )
    };
    let fields = container.fields().any(asks).then(|| {
        hygienic! {
            use __private::{
                GetThroughSerde as _, GetUnmarked as _, HoldsNone as _, PutChecked as _, PutThroughSerde as _,
            };
        }
    });
    let fds = container.has_descriptors().then(|| {
        hygienic!(
            use __private::LentNothing as _;
        )
    });
    let nested = container.has_nested().then(|| {
        hygienic!(
            use __private::NoDescriptors as _;
        )
    });
    let is_rest = |field: &Field<'_>| matches!(field.form, Form::Rest(..));
    let rest = container.fields().any(is_rest);
    let rest = rest.then(|| {
        hygienic!(
            use __private::RestNothing as _;
        )
    });
    let traits = hygienic!(#fields #fds #nested #rest);
    in_block(container.krate.as_ref(), &hygienic!(#traits #implementation #read))
}

/// Returns the attributes that allow what the user allows, and to name deprecated items, if there are any.
pub(crate) fn allowed(container: &Container<'_>) -> TokenStream {
    let deprecated = container.is_deprecated.then(|| hygienic!(#[allow(deprecated)]));
    let lints = &container.lints;
    hygienic!(#lints #deprecated)
}

/// Returns the block around everything.
pub(crate) fn in_block(krate: Option<&Path>, items: &TokenStream) -> TokenStream {
    let krate = krate.map_or_else(|| hygienic!(::datagrammar), ToTokens::into_token_stream);
    hygienic! {
        const _: () = {
            use #krate::__private;

            #items
        };
    }
}

/// Returns the implementation around the functions.
pub(crate) fn implementation(
    ident: &Ident,
    generics: &Generics,
    where_clause: &TokenStream,
    allowed: &TokenStream,
    borrowed: &TokenStream,
    items: &TokenStream,
) -> TokenStream {
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    // A name with the span of the user's type. If an argument lacks a bound, the compiler then does not mention the
    // bounds of a derive, and does not advise implementing the trait by hand.
    let (import, message) = match generics.type_params().next() {
        Some(_) => {
            let name = Ident::new("__Message", ident.span());
            (
                hygienic!(
                    use __private::Message as __Message;
                ),
                name.into_token_stream(),
            )
        }
        None => (TokenStream::new(), hygienic!(__private::Message)),
    };
    hygienic! {
        #import
        #[automatically_derived]
        #allowed
        impl #impl_generics #message for #ident #ty_generics #where_clause {
            type Borrowed<'__frame> = #borrowed;
            #items
        }
    }
}
