//! The expressions that read fields.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::{Type, TypeArray};

use super::context::Context;
use super::names::function_of;
use super::with;
use crate::field::{Field, Form};
use crate::hygiene::{hygienic, hygienic_at};
use crate::kind::{self, Content, Descriptors, Held, Kind, Number};
use crate::types::ungroup;

/// Returns the expression that reads a field, or that gives its default if the frame ends before it.
pub(super) fn value(cx: &Context<'_>, field: &Field<'_>) -> TokenStream {
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
    let inside = kind::checked(ty).into_iter().map(|ty| cx.type_at_frame(ty));
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
