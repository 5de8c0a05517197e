//! The implementation of `Message`, once everything is known to be right.
//!
//! It is in a block of its own, where `__private` is what the runtime has for generated code: every path
//! starts from there, and every function is called by its path, so that nothing the user has in scope can
//! be meant instead. Names of our own start with `__`: a constant or a type of the user's that is in scope
//! under the same name would be taken for them, whatever their span.

mod decode;
mod encode;
mod with;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, Member, Path};

use crate::ast::{Container, Data, Ending, Field, Form, Variant};
use crate::bound;
use crate::hygiene::{hygienic, hygienic_at};
use crate::kind::{Content, Kind, Slice};
use crate::nest::{Inner, Replace};

/// What the functions have in common.
pub(crate) struct Context<'c> {
    pub(crate) container: &'c Container<'c>,
    pub(crate) codec: TokenStream,
    pub(crate) where_clause: TokenStream,
    /// The type parameters that borrow from the frame, as they are messages in this one.
    pub(crate) lent: Vec<&'c Ident>,
}

/// The implementation of `Message`.
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
    // Where it is not one, that is reported once, here, and nowhere in the functions.
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
    let allowed = container.is_deprecated.then(|| hygienic!(#[allow(deprecated)]));
    let read = hygienic! {
        #[automatically_derived]
        #allowed
        impl #impl_generics #ident #ty_generics #where_clause {
            #read
        }
    };
    let implementation =
        implementation(container.ident, container.generics, &where_clause, &borrowed, &items);
    let asks = |field: &Field<'_>| {
        matches!(field.form, Form::Plain(Kind::Plain | Kind::ByType | Kind::Elements))
    };
    let fields = container.fields().any(asks).then(|| {
        hygienic! {
            use __private::{
                GetThroughSerde as _, HoldsNone as _, PutChecked as _, PutThroughSerde as _,
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
    in_block(container.krate.as_ref(), &hygienic!(#traits #allowed #implementation #read))
}

/// The block around everything.
pub(crate) fn in_block(krate: Option<&Path>, items: &TokenStream) -> TokenStream {
    let krate = krate.map_or_else(|| hygienic!(::datagrammar), ToTokens::into_token_stream);
    hygienic! {
        const _: () = {
            use #krate::__private;

            #items
        };
    }
}

/// The implementation around the functions.
pub(crate) fn implementation(
    ident: &Ident,
    generics: &Generics,
    where_clause: &TokenStream,
    borrowed: &TokenStream,
    items: &TokenStream,
) -> TokenStream {
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    hygienic! {
        #[automatically_derived]
        impl #impl_generics __private::Message for #ident #ty_generics #where_clause {
            type Borrowed<'__frame> = #borrowed;
            #items
        }
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

impl Context<'_> {
    /// The message type, or another one with its parameters, as it borrows from the frame.
    fn at_frame(&self, ident: &Ident) -> TokenStream {
        at_frame(ident, self.container.generics, &self.lent)
    }

    /// A field's type as it borrows from the frame, in which `Self` is the message type that does.
    fn type_at_frame(&self, ty: &syn::Type) -> TokenStream {
        let this = self.at_frame(self.container.ident);
        without_self(bound::at_frame(self.container, &self.lent, ty.to_token_stream()), &this)
    }

    /// Whether reading takes descriptors along: its own, or those of messages in it.
    fn takes_descriptors(&self) -> bool {
        self.container.has_descriptors() || self.container.has_nested()
    }
}

/// A type that is named where there is another `Self`: `<Request<'a>>::LEN` is right in expressions too.
fn without_self(ty: TokenStream, this: &TokenStream) -> TokenStream {
    let ident = |ident: &Ident, goes_on: bool| match (ident == "Self", goes_on) {
        (true, true) => Some(hygienic!(<#this>)),
        (true, false) => Some(this.clone()),
        (false, _) => None,
    };
    Replace { lifetime: &|_| None, ident: &ident }.all(ty)
}

fn tag(container: &Container<'_>) -> TokenStream {
    let body = match &container.data {
        Data::Struct(variant) => {
            let number = variant.tag.number;
            hygienic!(#number)
        }
        Data::Enum { variants, other, .. } => {
            let arms = variants.iter().map(|Variant { ident, tag, .. }| {
                let number = tag.number;
                hygienic!(Self::#ident { .. } => #number,)
            });
            let other = other.as_ref().map(|other| {
                let ident = other.ident;
                hygienic!(Self::#ident { 0: __unknown } => __private::Unknown::tag(__unknown),)
            });
            let matched = matched(container);
            hygienic!(match #matched { #(#arms)* #other })
        }
    };
    hygienic! {
        #[inline]
        fn tag(&self) -> __private::u32 {
            #body
        }
    }
}

fn name(container: &Container<'_>) -> TokenStream {
    let body = match &container.data {
        Data::Struct(variant) => {
            let name = variant.ident.unraw().to_string();
            hygienic!(#name)
        }
        Data::Enum { variants, other, .. } => {
            let idents = variants.iter().map(|variant| variant.ident);
            let idents = idents.chain(other.as_ref().map(|other| other.ident));
            let arms = idents.map(|ident| {
                let name = ident.unraw().to_string();
                hygienic!(Self::#ident { .. } => #name,)
            });
            let matched = matched(container);
            hygienic!(match #matched { #(#arms)* })
        }
    };
    hygienic! {
        #[inline]
        fn name(&self) -> &'static __private::str {
            #body
        }
    }
}

/// Whether descriptors travel with the message: those of its fields, and of messages in it. Of one behind a
/// `Box` or a `Vec`, which may hold this one again, it cannot be asked.
fn descriptors(container: &Container<'_>) -> Option<TokenStream> {
    if container.has_descriptors() {
        return Some(hygienic!(
            const DESCRIPTORS: __private::bool = true;
        ));
    }
    let nested = container.fields().filter(|field| field.is_nested());
    let nested = nested.map(|field| Inner::of(field.ty)).filter(|inner| !inner.is(container.ident));
    let nested: Vec<_> = nested
        .map(|Inner { ty, is_indirect }| match is_indirect {
            true => hygienic!(true),
            false => hygienic!(<__private::NestedType<#ty>>::DESCRIPTORS),
        })
        .collect();
    (!nested.is_empty()).then(|| hygienic!(const DESCRIPTORS: __private::bool = #(#nested)||*;))
}

/// What is matched against the variants. A reference to an enum without any could not be matched by
/// no arm.
fn matched(container: &Container<'_>) -> TokenStream {
    match container.is_empty() {
        true => hygienic!(*self),
        false => hygienic!(self),
    }
}

/// `name: __field_0, other: __field_1`: a pattern and an expression alike, for every shape of variant.
fn bindings(variant: &Variant<'_>) -> TokenStream {
    let bindings = variant.fields.iter().enumerate().map(|(index, field)| {
        let (member, binding): (&Member, _) = (&field.member, binding(index));
        hygienic!(#member: #binding)
    });
    hygienic!(#(#bindings),*)
}

fn binding(index: usize) -> Ident {
    format_ident!("__field_{index}", span = Span::mixed_site())
}

/// The function that encodes a slice, and the one that decodes it.
fn function_of(slice: Slice) -> TokenStream {
    match (slice.content, slice.optional) {
        (Content::Bytes, false) => hygienic!(bytes),
        (Content::Bytes, true) => hygienic!(optional_bytes),
        (Content::Text, false) => hygienic!(text),
        (Content::Text, true) => hygienic!(optional_text),
    }
}

/// Whether a variant may end before its frame does.
fn is_extensible(variant: &Variant<'_>) -> bool {
    matches!(variant.ending, Ending::Extensible(_))
}
