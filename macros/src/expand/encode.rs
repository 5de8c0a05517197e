//! `Message::encode`: writes the tag, then each field in order.

use proc_macro2::{Span, TokenStream};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::context::Context;
use super::names::{binding, bindings, function_of, matched};
use super::with;
use crate::ast::{Data, Kept, Other, Variant};
use crate::field::{Field, Form};
use crate::hygiene::{hygienic, hygienic_at};
use crate::kind::{Content, Kind, Number, Slice};
use crate::nest;
use crate::types::ungroup;

pub(super) fn function(cx: &Context<'_>) -> TokenStream {
    let body = match &cx.container.data {
        Data::Struct(variant) => {
            let (bindings, written) = (bindings(variant), written(cx, variant));
            hygienic! {
                let Self { #bindings } = self;
                #written
            }
        }
        Data::Enum { variants, other, .. } => {
            let arms = variants.iter().map(|variant| {
                let (ident, bindings) = (variant.ident, bindings(variant));
                let written = written(cx, variant);
                match variant.fields.is_empty() {
                    true => hygienic!(Self::#ident {} => { #written }),
                    false => hygienic! {
                        Self::#ident { #bindings } => __private::apart(|| { #written }),
                    },
                }
            });
            let other = other.as_ref().map(|other| self::other(cx, other));
            let matched = matched(cx.container);
            hygienic!(match #matched { #(#arms)* #other })
        }
    };
    hygienic! {
        #[inline]
        fn encode<'__message>(
            &'__message self,
            __encoder: &mut __private::Encoder<'__message>,
        ) -> __private::Result<(), __private::EncodeError> {
            #body
        }
    }
}

/// Returns the arm of the variant that takes all unknown tags.
fn other(cx: &Context<'_>, other: &Other<'_>) -> TokenStream {
    let (codec, ident) = (&cx.codec, other.ident);
    match other.kept {
        Kept::Nothing => {
            let name = format!("{}::{}", cx.container.ident.unraw(), ident.unraw());
            hygienic! {
                Self::#ident {} => __private::Err(__private::EncodeError::UnknownTag(#name)),
            }
        }
        Kept::Lent | Kept::Owned => hygienic! {
            Self::#ident { 0: __unknown } => {
                __private::Encoder::unknown::<#codec>(__encoder, __unknown)
            }
        },
    }
}

/// Returns the code that writes the tag and the fields.
fn written(cx: &Context<'_>, variant: &Variant<'_>) -> TokenStream {
    let (codec, tag) = (&cx.codec, variant.tag.number);
    let fields = variant.fields.iter().enumerate().map(|(index, field)| {
        let mut value = binding(index);
        value.set_span(field.ty.span().resolved_at(Span::mixed_site()));
        self::field(cx, &hygienic!(#value), field)
    });
    hygienic! {
        __private::Encoder::tag::<#codec>(__encoder, #tag)?;
        #(#fields)*
        __private::Ok(())
    }
}

fn field(
    cx: &Context<'_>,
    value: &TokenStream,
    Field { form, name, ty, .. }: &Field<'_>,
) -> TokenStream {
    let (span, codec) = (ty.span(), &cx.codec);
    match form {
        Form::Plain(Kind::Plain) => {
            hygienic_at!(span => __private::Value(#value).__put::<#codec>(#name, __encoder)?;)
        }
        Form::Plain(Kind::ByType) => by_type(cx, value, name, ty),
        Form::Plain(Kind::Elements) => {
            let Type::Array(array) = ungroup(ty) else { return by_type(cx, value, name, ty) };
            let element = by_type(cx, &hygienic!(__element), name, &array.elem);
            hygienic_at!(span => for __element in #value { #element })
        }
        Form::Plain(Kind::Slice(slice)) => self::slice(cx, value, name, span, *slice),
        Form::Plain(Kind::U32) => {
            hygienic_at!(span => __private::Encoder::u32::<#codec>(__encoder, #name, #value)?;)
        }
        Form::Plain(Kind::U64) => {
            hygienic_at!(span => __private::Encoder::u64::<#codec>(__encoder, #name, #value)?;)
        }
        Form::Plain(Kind::Array) => {
            hygienic_at!(span => __private::Encoder::copy(__encoder, #value);)
        }
        Form::Rest(..) => {
            hygienic_at!(span => __private::Encoder::rest(__encoder, __private::Rest(#value).__bytes());)
        }
        Form::Nested(None) => hygienic_at! { span =>
            __private::NestedValue(#value).__put::<#codec>(#name, __encoder)?;
        },
        Form::Nested(Some(_)) => hygienic_at! { span =>
            __private::NestedValue(#value).__put_rest(#name, __encoder)?;
        },
        Form::Answer => {
            let wrapper = wrapper(ty);
            hygienic_at! { span =>
                __private::AnswerValue(#wrapper(#value)).__put::<#codec>(#name, __encoder)?;
            }
        }
        Form::Fd(descriptors) => match descriptors.number {
            Number::One => {
                hygienic_at!(span => __private::Encoder::fd(__encoder, __private::Lent(#value).__fd());)
            }
            Number::Optional => hygienic_at! { span =>
                __private::Encoder::optional_fd(__encoder, __private::Lent(#value).__optional_fd());
            },
            Number::Many => hygienic_at! { span =>
                __private::Encoder::fds::<#codec>(__encoder, #name, __private::Lent(#value).__fds())?;
            },
        },
        Form::With(path) => {
            let wrapper = with::serialize(cx, ty, path, value);
            hygienic!(__private::Encoder::field::<#codec, _>(__encoder, #name, &#wrapper)?;)
        }
    }
}

/// Returns the code that writes a type that only the compiler can recognise.
fn by_type(cx: &Context<'_>, value: &TokenStream, name: &str, ty: &Type) -> TokenStream {
    let (span, codec, wrapper) = (ty.span(), &cx.codec, wrapper(ty));
    hygienic_at!(span => #wrapper(#value).__put::<#codec>(#name, __encoder)?;)
}

/// Returns the path of the type that writes a value. A type that borrows cannot be decoded again as a check.
fn wrapper(ty: &Type) -> TokenStream {
    match nest::has_lifetime(ty) {
        true => hygienic_at!(ty.span() => __private::Value),
        false => hygienic_at!(ty.span() => __private::OwnedValue),
    }
}

fn slice(
    cx: &Context<'_>,
    value: &TokenStream,
    name: &str,
    span: Span,
    slice: Slice,
) -> TokenStream {
    let (codec, function) = (&cx.codec, function_of(slice));
    let lend = match slice.content {
        Content::Bytes => hygienic_at!(span => __private::bytes),
        Content::Text => hygienic_at!(span => __private::text),
    };
    let lent = match slice.optional {
        true => hygienic_at! { span =>
            match #value {
                __private::Some(__held) => __private::Some(#lend(__held)),
                __private::None => __private::None,
            }
        },
        false => hygienic_at!(span => #lend(#value)),
    };
    hygienic_at!(span => __private::Encoder::#function::<#codec>(__encoder, #name, #lent)?;)
}
