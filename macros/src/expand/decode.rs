//! `Message::decode`, and `decode_with` where descriptors come along: the tag picks the variant, and
//! its fields are read in order.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;

use super::{Names, binding, bindings, function_of, with};
use crate::ast::{Container, Data, Ending, Field, Form};
use crate::kind::{Content, Descriptors, Held, Kind, Number};

pub(super) fn function(
    container: &Container<'_>,
    names: &Names,
    where_clause: &TokenStream,
) -> TokenStream {
    let Names { krate, private, codec, .. } = names;
    let ident = container.ident;
    let arms = container.variants().iter().map(|variant| {
        let (tag, bindings) = (variant.tag.number, bindings(variant));
        let fields = variant.fields.iter().enumerate().map(|(index, field)| {
            let (binding, value) = (binding(index), value(container, names, where_clause, field));
            hygienic!(let #binding = #value;)
        });
        let exact = matches!(variant.ending, Ending::Exact);
        let finish = exact.then(|| hygienic!(#krate::Decoder::finish(&__decoder)?;));
        let all_taken = (exact && container.has_descriptors())
            .then(|| hygienic!(#krate::Descriptors::finish(__descriptors)?;));
        let path = match container.data {
            Data::Enum { .. } => {
                let variant = variant.ident;
                hygienic!(#ident::#variant)
            }
            Data::Struct(_) => hygienic!(#ident),
        };
        hygienic! {
            #tag => {
                #(#fields)*
                #finish
                #all_taken
                #private::Ok(#path { #bindings })
            }
        }
    });
    let other = match container.other() {
        Some(other) => {
            let variant = other.ident;
            let unknown = hygienic! {
                #krate::Decoder::unknown(&mut __decoder, __tag)?
            };
            let unknown = match other.lent {
                true => unknown,
                false => hygienic!(#krate::Unknown::into_owned(#unknown)),
            };
            hygienic!(#private::Ok(#ident::#variant { 0: #unknown }))
        }
        None => hygienic! {
            #private::Err(#krate::DecodeError::UnknownTag(__tag))
        },
    };
    let result = hygienic! {
        #private::Result<<Self as #krate::Message>::Borrowed<'__frame>, #krate::DecodeError>
    };
    let body = hygienic! {
        let mut __decoder = #krate::Decoder::<'__frame, #codec>::new(__frame)?;
        match #krate::Decoder::tag(&mut __decoder)? {
            #(#arms)*
            __tag => #other,
        }
    };
    if !container.has_descriptors() {
        return hygienic! {
            #[inline]
            fn decode<'__frame>(__frame: &'__frame [#private::u8]) -> #result {
                #body
            }
        };
    }
    hygienic! {
        fn decode<'__frame>(__frame: &'__frame [#private::u8]) -> #result {
            let mut __none = <#krate::Descriptors as #private::Default>::default();
            <Self as #krate::Message>::decode_with(__frame, &mut __none)
        }

        fn decode_with<'__frame>(
            __frame: &'__frame [#private::u8],
            __descriptors: &mut #krate::Descriptors,
        ) -> #result {
            #body
        }
    }
}

/// The expression that reads a field, or gives its default where an older sender's frame ends.
fn value(
    container: &Container<'_>,
    names: &Names,
    where_clause: &TokenStream,
    field: &Field<'_>,
) -> TokenStream {
    let Names { krate, private, .. } = names.at(field.ty.span());
    let value = read(container, names, where_clause, field);
    match field.default {
        Some(_) => hygienic_at! { field.ty.span() =>
            if #krate::Decoder::is_at_end(&__decoder) {
                <_ as #private::Default>::default()
            } else {
                #value
            }
        },
        None => value,
    }
}

fn read(
    container: &Container<'_>,
    names: &Names,
    where_clause: &TokenStream,
    Field { form, name, ty, .. }: &Field<'_>,
) -> TokenStream {
    let span = ty.span();
    let Names { krate, private, .. } = &names.at(span);
    let call = |function: TokenStream| hygienic_at!(span => #krate::Decoder::#function(&mut __decoder, #name)?);
    let rest =
        |function: TokenStream| hygienic_at!(span => #krate::Decoder::#function(&mut __decoder));
    match form {
        Form::Plain(Kind::Serde) => call(hygienic_at!(span => field::<_>)),
        Form::Plain(Kind::Slice(slice)) => {
            let function = function_of(*slice);
            let owned = match slice.content {
                Content::Bytes => hygienic!(#private::Vec<#private::u8>),
                Content::Text => hygienic!(#private::String),
            };
            match (slice.held, slice.optional) {
                (Held::ByType, _) => call(function),
                (Held::Cow, false) => {
                    let value = call(hygienic!(#function::<#owned>));
                    hygienic!(#private::Cow::Owned(#value))
                }
                (Held::Cow, true) => {
                    let value = call(hygienic!(#function::<#owned>));
                    hygienic!(#private::Option::map(#value, #private::Cow::Owned))
                }
            }
        }
        Form::Plain(Kind::Array) => call(hygienic!(array)),
        Form::Plain(Kind::U32) => call(hygienic!(u32)),
        Form::Plain(Kind::U64) => call(hygienic!(u64)),
        Form::Rest(Held::ByType, _) => rest(hygienic!(rest)),
        Form::Rest(Held::Cow, _) => {
            let bytes = rest(hygienic!(rest::<#private::Vec<#private::u8>>));
            hygienic!(#private::Cow::Owned(#bytes))
        }
        Form::Fd(Descriptors { borrowed: true, .. }) => {
            hygienic!(#private::borrowed_fd::<_>(#name)?)
        }
        Form::Fd(descriptors) => match descriptors.number {
            Number::One => hygienic_at! { span =>
                #krate::Descriptors::take::<_>(__descriptors, #name)?
            },
            Number::Optional => {
                let there = call(hygienic!(has_fd));
                hygienic_at! { span =>
                    match #there {
                        true => #private::Some(#krate::Descriptors::take::<_>(__descriptors, #name)?),
                        false => #private::None,
                    }
                }
            }
            Number::Many => {
                let count = call(hygienic!(fd_count));
                hygienic_at! { span =>
                    #krate::Descriptors::take_many::<_>(__descriptors, #name, #count)?
                }
            }
        },
        Form::With(path) => {
            let (items, wrapper) = with::deserialize(container, private, where_clause, ty, path);
            let wrapped = call(hygienic!(field::<#wrapper>));
            hygienic!({ #items #wrapped.value })
        }
    }
}
