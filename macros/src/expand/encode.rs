//! `Message::encode`: the tag, and each field in order.

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;

use super::{Names, binding, bindings, function_of, matched, path, with};
use crate::ast::{Container, Field, Form};
use crate::kind::{Content, Kind, Number};

pub(super) fn function(
    container: &Container<'_>,
    names: &Names,
    where_clause: &TokenStream,
) -> TokenStream {
    let Names { krate, private, codec, .. } = names;
    let arms = container.variants().iter().map(|variant| {
        let (path, bindings, tag) =
            (path(container, variant), bindings(variant), variant.tag.number);
        let fields = variant
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| self::field(container, names, where_clause, index, field));
        hygienic! {
            #path { #bindings } => {
                #krate::Encoder::tag::<#codec>(__encoder, #tag)?;
                #(#fields)*
            }
        }
    });
    let other = container.other().map(|other| {
        let ident = other.ident;
        hygienic! {
            Self::#ident { 0: __unknown } => #krate::Encoder::unknown::<#codec>(__encoder, __unknown)?,
        }
    });
    let matched = matched(container);
    // After a match without arms nothing is reached.
    let done = (!container.is_empty()).then(|| hygienic!(#private::Ok(())));
    hygienic! {
        #[inline]
        fn encode<'__message>(
            &'__message self,
            __encoder: &mut #krate::Encoder<'__message>,
        ) -> #private::Result<(), #krate::EncodeError> {
            match #matched {
                #(#arms)*
                #other
            }
            #done
        }
    }
}

fn field(
    container: &Container<'_>,
    names: &Names,
    where_clause: &TokenStream,
    index: usize,
    Field { form, name, ty, .. }: &Field<'_>,
) -> TokenStream {
    let span = ty.span();
    let Names { krate, private, codec, .. } = &names.at(span);
    let mut value = binding(index);
    value.set_span(span.resolved_at(Span::mixed_site()));
    match form {
        Form::Plain(Kind::Serde) => {
            hygienic_at!(span => #krate::Encoder::field::<#codec, _>(__encoder, #name, #value)?;)
        }
        Form::Plain(Kind::Slice(slice)) => {
            let function = function_of(*slice);
            let lend = match slice.content {
                Content::Bytes => hygienic_at!(span => #private::bytes),
                Content::Text => hygienic_at!(span => #private::text),
            };
            let lent = match slice.optional {
                true => hygienic_at! { span =>
                    match #value {
                        #private::Some(__held) => #private::Some(#lend(__held)),
                        #private::None => #private::None,
                    }
                },
                false => hygienic_at!(span => #lend(#value)),
            };
            hygienic_at!(span => #krate::Encoder::#function::<#codec>(__encoder, #name, #lent)?;)
        }
        Form::Plain(Kind::U32) => {
            hygienic_at!(span => #krate::Encoder::u32::<#codec>(__encoder, #name, #value)?;)
        }
        Form::Plain(Kind::U64) => {
            hygienic_at!(span => #krate::Encoder::u64::<#codec>(__encoder, #name, #value)?;)
        }
        Form::Plain(Kind::Array) => hygienic_at!(span => #krate::Encoder::copy(__encoder, #value);),
        Form::Rest(..) => {
            hygienic_at!(span => #krate::Encoder::rest(__encoder, #private::bytes(#value));)
        }
        Form::Fd(descriptors) => match descriptors.number {
            Number::One => {
                hygienic_at!(span => #krate::Encoder::fd(__encoder, #private::fd(#value));)
            }
            Number::Optional => hygienic_at! { span =>
                #krate::Encoder::optional_fd(__encoder, #private::optional_fd(#value));
            },
            Number::Many => hygienic_at! { span =>
                #krate::Encoder::fds::<#codec>(__encoder, #name, #private::fds(#value))?;
            },
        },
        Form::With(path) => {
            let wrapper = with::serialize(container, private, where_clause, ty, path, &value);
            hygienic!(#krate::Encoder::field::<#codec, _>(__encoder, #name, &#wrapper)?;)
        }
    }
}
