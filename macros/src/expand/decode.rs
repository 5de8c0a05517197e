//! The functions that read: the tag selects the variant, whose fields are read in order.

use proc_macro2::{Span, TokenStream};
use quote::format_ident;

use super::context::Context;
use super::names::{binding, bindings};
use super::read_field::value;
use crate::ast::{Data, Ending, Kept, Variant};
use crate::field::Field;
use crate::hygiene::hygienic;

/// Returns `Message::tag_of`, `decode`, `decode_with` and `decode_nested`. Those that decode call
/// [`read`].
pub(super) fn functions(cx: &Context<'_>) -> TokenStream {
    let codec = &cx.codec;
    let result = hygienic!(__private::Decoded<'__frame, Self>);
    let frame = hygienic!(__frame: &'__frame [__private::u8]);
    let along = hygienic!(__descriptors: &mut __private::Descriptors);
    let (decode, argument) = match cx.takes_descriptors() {
        false => {
            let decode = hygienic! {
                #[inline]
                fn decode<'__frame>(#frame) -> #result {
                    Self::__read(&mut __private::Decoder::<'__frame, #codec>::new(__frame)?)
                }
            };
            (decode, None)
        }
        true => {
            let decode = hygienic! {
                fn decode<'__frame>(#frame) -> #result {
                    let mut __none = <__private::Descriptors as __private::Default>::default();
                    <Self as __private::Message>::decode_with(__frame, &mut __none)
                }

                fn decode_with<'__frame>(#frame, #along) -> #result {
                    let mut __decoder = __private::Decoder::<'__frame, #codec>::new(__frame)?;
                    Self::__read(&mut __decoder, __descriptors)
                }
            };
            (decode, Some(hygienic!(, __descriptors)))
        }
    };
    hygienic! {
        #[inline]
        fn tag_of(__frame: &[__private::u8]) -> __private::Result<__private::u32, __private::DecodeError> {
            __private::Decoder::tag(&mut __private::Decoder::<'_, #codec>::new(__frame)?)
        }

        #decode

        fn decode_nested<'__frame>(#frame, #along) -> #result {
            let mut __decoder = __private::Decoder::<'__frame, #codec>::nested_in(__frame, __descriptors)?;
            let __message = Self::__read(&mut __decoder #argument)?;
            __private::Decoder::leave(&__decoder, __descriptors);
            __private::Ok(__message)
        }
    }
}

/// Returns the private functions that they share: one reads the tag, and each variant with fields has its own. In
/// an unoptimised build, one function for all variants would need stack for the fields of all of them.
pub(super) fn read(cx: &Context<'_>) -> TokenStream {
    match &cx.container.data {
        Data::Struct(variant) => {
            let (tag, ident) = (variant.tag.number, cx.container.ident);
            let fields = fields(cx, variant, &hygienic!(#ident));
            let read = hygienic! {
                __private::Decoder::only_tag(__decoder, #tag)?;
                #fields
            };
            reader(cx, &hygienic!(__read), &read)
        }
        Data::Enum { variants, .. } => {
            let read = reader(cx, &hygienic!(__read), &self::variants(cx));
            let ident = cx.container.ident;
            let with_fields = variants.iter().filter(|variant| !variant.fields.is_empty());
            let each = with_fields.map(|variant| {
                let name = variant.ident;
                let fields = fields(cx, variant, &hygienic!(#ident::#name));
                reader(cx, &reader_of(variant), &fields)
            });
            hygienic!(#read #(#each)*)
        }
    }
}

/// The most variants that one function reads in an optimised build. For more variants, a call costs less than
/// compiling such a large function.
const INLINED: usize = 32;

/// Returns a function that reads a message, or the part after its tag.
fn reader(cx: &Context<'_>, name: &TokenStream, body: &TokenStream) -> TokenStream {
    let codec = &cx.codec;
    let along = cx.takes_descriptors();
    let along = along.then(|| hygienic!(__descriptors: &mut __private::Descriptors,));
    let is_small = cx.container.variants().len() <= INLINED;
    let inlined = is_small.then(|| hygienic!(#[cfg_attr(not(debug_assertions), inline(always))]));
    hygienic! {
        #inlined
        fn #name<'__frame>(
            __decoder: &mut __private::Decoder<'__frame, #codec>,
            #along
        ) -> __private::Decoded<'__frame, Self> {
            #body
        }
    }
}

fn reader_of(variant: &Variant<'_>) -> TokenStream {
    let name = format_ident!("__read_{}", variant.tag.number, span = Span::mixed_site());
    hygienic!(#name)
}

fn variants(cx: &Context<'_>) -> TokenStream {
    let ident = cx.container.ident;
    let along = cx.takes_descriptors().then(|| hygienic!(, __descriptors));
    let arms = cx.container.variants().iter().map(|variant| {
        let (tag, name) = (variant.tag.number, variant.ident);
        if variant.fields.is_empty() {
            let fields = fields(cx, variant, &hygienic!(#ident::#name));
            return hygienic!(#tag => { #fields });
        }
        let reader = reader_of(variant);
        hygienic!(#tag => Self::#reader(__decoder #along),)
    });
    let other = match cx.container.other() {
        Some(other) => {
            let variant = other.ident;
            let unknown = hygienic!(__private::Decoder::unknown(__decoder, __tag)?);
            match other.kept {
                Kept::Nothing => hygienic!({
                    #unknown;
                    __private::Ok(#ident::#variant {})
                }),
                Kept::Lent => hygienic!(__private::Ok(#ident::#variant { 0: #unknown })),
                Kept::Owned => hygienic! {
                    __private::Ok(#ident::#variant { 0: __private::Unknown::into_owned(#unknown) })
                },
            }
        }
        None => hygienic!(__private::Err(__private::DecodeError::UnknownTag(__tag))),
    };
    hygienic! {
        match __private::Decoder::tag(__decoder)? {
            #(#arms)*
            __tag => #other,
        }
    }
}

/// Returns the code that reads the fields and makes the message.
fn fields(cx: &Context<'_>, variant: &Variant<'_>, path: &TokenStream) -> TokenStream {
    let fields = variant.fields.iter().enumerate().map(|(index, field)| {
        let (binding, value) = (binding(index), value(cx, field));
        hygienic!(let #binding = #value;)
    });
    let bindings = bindings(variant);
    let exact = !is_extensible(variant);
    let finish = exact.then(|| hygienic!(__private::Decoder::finish(__decoder)?;));
    let nests = variant.fields.iter().any(Field::may_nest);
    let all_taken = match (exact, nests) {
        (true, _) if cx.takes_descriptors() => {
            Some(hygienic!(__private::Descriptors::finish(__descriptors)?;))
        }
        (false, true) => {
            let is_at_end = hygienic!(__private::Decoder::is_at_end(__decoder));
            Some(hygienic!(__private::Descriptors::finish_extensible(__descriptors, #is_at_end)?;))
        }
        _ => None,
    };
    hygienic! {
        #(#fields)*
        #finish
        #all_taken
        __private::Ok(#path { #bindings })
    }
}

/// Returns whether a variant may end before its frame does.
fn is_extensible(variant: &Variant<'_>) -> bool {
    matches!(variant.ending, Ending::Extensible(_))
}
