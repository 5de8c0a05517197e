//! The functions that read: the tag selects the variant, whose fields are read in order.

use proc_macro2::{Span, TokenStream};
use quote::format_ident;
use syn::spanned::Spanned;
use syn::{Type, TypeArray};

use super::context::Context;
use super::names::{binding, bindings, function_of};
use super::with;
use crate::ast::{Data, Ending, Field, Form, Variant};
use crate::hygiene::{hygienic, hygienic_at};
use crate::kind::{self, Content, Descriptors, Held, Kind, Number, ungroup};

/// Returns `Message::tag_of`, `decode`, `decode_with` and `decode_nested`. Those that decode call
/// [`read`](self::read).
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
            let unknown = match other.lent {
                true => unknown,
                false => hygienic!(__private::Unknown::into_owned(#unknown)),
            };
            hygienic!(__private::Ok(#ident::#variant { 0: #unknown }))
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

/// Returns the expression that reads a field, or that gives its default if the frame ends before it.
fn value(cx: &Context<'_>, field: &Field<'_>) -> TokenStream {
    let span = field.ty.span();
    let value = read_field(cx, field);
    match field.default {
        Some(_) => hygienic_at! { span =>
            if __private::Decoder::is_at_end(__decoder) {
                <_ as __private::Default>::default()
            } else {
                #value
            }
        },
        None => value,
    }
}

fn read_field(cx: &Context<'_>, Field { form, name, ty, .. }: &Field<'_>) -> TokenStream {
    let span = ty.span();
    let call = |function: TokenStream| hygienic_at!(span => __private::Decoder::#function(__decoder, #name)?);
    let rest =
        |function: TokenStream| hygienic_at!(span => __private::Decoder::#function(__decoder));
    match form {
        Form::Plain(Kind::Plain) => of_type(cx, name, ty),
        Form::Plain(Kind::ByType) => by_type(cx, name, ty),
        Form::Plain(Kind::Elements) => elements(cx, name, ty),
        Form::Plain(Kind::Slice(slice)) => {
            let function = function_of(*slice);
            let owned = match slice.content {
                Content::Bytes => hygienic!(__private::Vec<__private::u8>),
                Content::Text => hygienic!(__private::String),
            };
            match (slice.held, slice.optional) {
                (Held::ByType, _) => call(function),
                (Held::Cow, false) => {
                    let value = call(hygienic!(#function::<#owned>));
                    hygienic!(__private::Cow::Owned(#value))
                }
                (Held::Cow, true) => {
                    let value = call(hygienic!(#function::<#owned>));
                    hygienic!(__private::Option::map(#value, __private::Cow::Owned))
                }
            }
        }
        Form::Plain(Kind::Array) => call(hygienic!(array)),
        Form::Plain(Kind::U32) => call(hygienic!(u32)),
        Form::Plain(Kind::U64) => call(hygienic!(u64)),
        Form::Rest(Held::ByType, _) => hygienic_at!(span => __private::rest(__decoder)),
        Form::Rest(Held::Cow, _) => {
            let bytes = rest(hygienic!(rest::<__private::Vec<__private::u8>>));
            hygienic!(__private::Cow::Owned(#bytes))
        }
        Form::Nested(rest) => {
            let function = match rest {
                Some(_) => hygienic_at!(span => nested_rest::<#ty>),
                None => hygienic_at!(span => nested::<#ty, _>),
            };
            hygienic_at!(span => __private::Decoder::#function(__decoder, #name, __descriptors)?)
        }
        Form::Answer => answer(cx, name, ty),
        Form::Fd(descriptors) => descriptor(*descriptors, name, ty),
        Form::With(path) => {
            let (items, wrapper) = with::deserialize(cx, ty, path);
            let wrapped = call(hygienic!(field::<#wrapper>));
            hygienic!({ #items #wrapped.value })
        }
    }
}

/// Returns the expression that reads a type that only the compiler can recognise. It does not compile if the type
/// is a message.
fn by_type(cx: &Context<'_>, name: &str, ty: &Type) -> TokenStream {
    let (span, of) = (ty.span(), of_type(cx, name, ty));
    let checked = kind::checked(ty).into_iter().map(|ty| cx.type_at_frame(ty));
    hygienic_at! { span => {
        #(__private::Unmarked::<#checked>::FIELD.__check();)*
        #of
    }}
}

fn of_type(cx: &Context<'_>, name: &str, ty: &Type) -> TokenStream {
    let (span, codec, at_frame) = (ty.span(), &cx.codec, cx.type_at_frame(ty));
    hygienic_at! { span =>
        __private::Of::<'__frame, #at_frame>::TYPE.__get::<#codec>(#name, __decoder)?
    }
}

/// Returns the expression that reads the value of an answer. It does not compile if the type holds messages that do
/// not nest.
fn answer(cx: &Context<'_>, name: &str, ty: &Type) -> TokenStream {
    let (span, codec, at_frame) = (ty.span(), &cx.codec, cx.type_at_frame(ty));
    let inside = kind::checked(ty).into_iter().filter(|inside| !std::ptr::eq(*inside, ungroup(ty)));
    let inside = inside.filter(|inside| !std::ptr::eq(*inside, ty));
    let inside = inside.map(|ty| cx.type_at_frame(ty));
    hygienic_at! { span => {
        __private::AnswerType::<#at_frame>::FIELD.__check();
        #(__private::Unmarked::<#inside>::FIELD.__check();)*
        // Here the compiler reports a `'static` that outlives the frame.
        let __value: #at_frame = __private::AnswerOf::<'_, '__frame, #at_frame>::new(__descriptors)
            .__get::<#codec>(#name, __decoder)?;
        __value
    }}
}

fn elements(cx: &Context<'_>, name: &str, ty: &Type) -> TokenStream {
    let span = ty.span();
    let Type::Array(TypeArray { elem, .. }) = ungroup(ty) else { return by_type(cx, name, ty) };
    let element = by_type(cx, name, elem);
    hygienic_at! { span =>
        __private::Decoder::elements(__decoder, |__decoder| __private::Ok(#element))?
    }
}

fn descriptor(descriptors: Descriptors, name: &str, ty: &Type) -> TokenStream {
    let span = ty.span();
    if descriptors.borrowed {
        return hygienic!(__private::borrowed_fd::<_>(#name)?);
    }
    let take = hygienic_at!(span => __private::take::<_>(__descriptors, #name)?);
    match descriptors.number {
        Number::One => take,
        Number::Optional => hygienic_at! { span =>
            match __private::Decoder::has_fd(__decoder, #name)? {
                true => __private::Some(#take),
                false => __private::None,
            }
        },
        Number::Many => hygienic_at! { span =>
            __private::take_many::<_>(
                __descriptors,
                #name,
                __private::Decoder::fd_count(__decoder, #name)?,
            )?
        },
    }
}
