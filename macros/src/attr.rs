//! Parses the attributes. Only this file reads [`syn::Attribute`].

use std::ops::RangeInclusive;

use proc_macro2::{Ident, Span, TokenStream};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, Lit, Meta, Path, Token, Type, WherePredicate,
};

use crate::ctxt::Ctxt;
use crate::hygiene::hygienic;
use crate::symbol::{
    BOUND, CODEC, CRATE, DEFAULT, EXTENSIBLE, FD, ITEMS, MESSAGE, NAME, NESTED, OTHER, Place,
    REPLY, RESERVED, REST, TAG, WITH, meant, misplaced, valueless,
};
use crate::value::{Tag, bounds, flag, ident, path, ranges, skip_item, tag, ty};

/// The attributes of an enum or a struct.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) tag: Option<Tag>,
    /// Whether a mistake was reported that may have hidden the tag.
    pub(crate) tag_mistaken: bool,
    pub(crate) reserved: Vec<RangeInclusive<u32>>,
    pub(crate) extensible: Option<Span>,
    pub(crate) codec: Option<Path>,
    pub(crate) krate: Option<Path>,
    /// The bounds on the type parameters that the user writes instead of those that the derive adds.
    pub(crate) bound: Option<Vec<WherePredicate>>,
}

/// The attributes of a variant.
#[derive(Default)]
pub(crate) struct Variant {
    pub(crate) tag: Option<Tag>,
    /// Whether a mistake was reported that may have hidden the tag or `other`.
    pub(crate) tag_mistaken: bool,
    pub(crate) other: Option<Span>,
    /// Whether serde's attribute says `other`.
    pub(crate) serde_other: bool,
    pub(crate) extensible: Option<Span>,
}

/// The attributes of a variant that say how to call it. The derive of `Protocol` reads them, and that of `Message`
/// ignores them.
#[derive(Default)]
pub(crate) struct Call<'a> {
    pub(crate) reply: Option<(Span, Type)>,
    pub(crate) items: Option<(Span, Type)>,
    pub(crate) name: Option<Ident>,
    pub(crate) other: Option<Span>,
    pub(crate) docs: Vec<&'a Attribute>,
    pub(crate) deprecated: Option<&'a Attribute>,
    /// The lints that the user allows on the variant and its fields.
    pub(crate) lints: TokenStream,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) rest: Option<Span>,
    pub(crate) fd: Option<Span>,
    /// Whether a mistake was reported that may have hidden `fd`.
    pub(crate) fd_mistaken: bool,
    pub(crate) default: Option<Span>,
    pub(crate) nested: Option<Span>,
    pub(crate) with: Option<Path>,
    pub(crate) bound: Option<Vec<WherePredicate>>,
}

impl Container {
    /// Reads the attributes of a container. `place` says whether it is an enum or a struct.
    pub(crate) fn read(cx: &Ctxt, attrs: &[Attribute], place: Place) -> Self {
        let mut read = Self::default();
        read.tag_mistaken = for_each(cx, attrs, place, |meta| {
            if meta.path == RESERVED && place == Place::Enum {
                ranges(meta, &mut read.reserved)
            } else if meta.path == TAG && place == Place::Struct {
                once(&mut read.tag, meta, tag)
            } else if meta.path == EXTENSIBLE {
                once(&mut read.extensible, meta, flag)
            } else if meta.path == CODEC {
                once(&mut read.codec, meta, path)
            } else if meta.path == CRATE {
                once(&mut read.krate, meta, path)
            } else if meta.path == BOUND {
                once(&mut read.bound, meta, bounds)
            } else {
                Err(Error::new_spanned(&meta.path, misplaced(&meta.path, place)))
            }
        });
        read
    }
}

impl Variant {
    pub(crate) fn read(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut read = Self::default();
        read.tag_mistaken = for_each(cx, attrs, Place::Variant, |meta| {
            if meta.path == TAG {
                once(&mut read.tag, meta, tag)
            } else if meta.path == OTHER {
                once(&mut read.other, meta, flag)
            } else if meta.path == EXTENSIBLE {
                once(&mut read.extensible, meta, flag)
            } else if is_of_call(&meta.path) {
                skip_item(meta.input)
            } else {
                Err(Error::new_spanned(&meta.path, misplaced(&meta.path, Place::Variant)))
            }
        });
        read.serde_other = attrs.iter().any(is_other_of_serde);
        read
    }
}

impl<'a> Call<'a> {
    /// Reads the attributes, and skips those of the message. The derive of `Message` reports mistakes in these.
    pub(crate) fn read(cx: &Ctxt, variant: &'a syn::Variant) -> Self {
        let (attrs, mut read) = (&variant.attrs, Self::default());
        for attr in attrs.iter().filter(|attr| attr.path() == MESSAGE) {
            let parsed = attr.parse_nested_meta(|meta| {
                let result = if meta.path == REPLY {
                    once(&mut read.reply, &meta, ty).and_then(|()| ends(&meta))
                } else if meta.path == ITEMS {
                    once(&mut read.items, &meta, ty).and_then(|()| ends(&meta))
                } else if meta.path == NAME {
                    once(&mut read.name, &meta, ident).and_then(|()| ends(&meta))
                } else if meta.path == OTHER {
                    read.other = Some(meta.path.span());
                    Ok(())
                } else {
                    Ok(())
                };
                result.unwrap_or_else(|mistake| cx.push(mistake));
                skip_item(meta.input)
            });
            // Only the parser itself fails here, for an attribute that is not a list. `Message` reports that.
            _ = parsed;
        }
        read.docs = attrs.iter().filter(|attr| attr.path().is_ident("doc")).collect();
        read.deprecated = attrs.iter().find(|attr| attr.path().is_ident("deprecated"));
        let of_fields = variant.fields.iter().flat_map(|field| &field.attrs);
        read.lints = allowed_lints(attrs.iter().chain(of_fields));
        read
    }
}

/// Checks that nothing follows the value of a word.
fn ends(meta: &ParseNestedMeta<'_>) -> Result<(), Error> {
    match meta.input.is_empty() || meta.input.peek(Token![,]) {
        true => Ok(()),
        false => Err(meta.input.error("expected `,`")),
    }
}

/// Returns an `allow` for each `allow` and `expect` of the user, for what is generated of the item.
pub(crate) fn allowed_lints<'a>(attrs: impl IntoIterator<Item = &'a Attribute>) -> TokenStream {
    let lints = attrs.into_iter().filter_map(|attr| match &attr.meta {
        Meta::List(list) if list.path.is_ident("allow") || list.path.is_ident("expect") => {
            Some(&list.tokens)
        }
        _ => None,
    });
    let lints = lints.map(|lints| hygienic!(#[allow(#lints)]));
    lints.collect()
}

/// Returns whether an attribute is `#[serde(other)]`.
fn is_other_of_serde(attr: &Attribute) -> bool {
    attr.path().is_ident("serde") && attr.parse_args::<Ident>().is_ok_and(|word| word == OTHER)
}

/// Returns whether a word says how to call a variant.
fn is_of_call(word: &Path) -> bool {
    word == REPLY || word == ITEMS || word == NAME
}

impl Field {
    pub(crate) fn read(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut read = Self::default();
        read.fd_mistaken = for_each(cx, attrs, Place::Field, |meta| {
            if meta.path == REST {
                once(&mut read.rest, meta, flag)
            } else if meta.path == FD {
                once(&mut read.fd, meta, flag)
            } else if meta.path == DEFAULT {
                once(&mut read.default, meta, flag)
            } else if meta.path == WITH {
                once(&mut read.with, meta, path)
            } else if meta.path == NESTED {
                once(&mut read.nested, meta, flag)
            } else if meta.path == BOUND {
                once(&mut read.bound, meta, bounds)
            } else {
                Err(Error::new_spanned(&meta.path, misplaced(&meta.path, Place::Field)))
            }
        });
        read
    }
}

/// Returns whether a type, or anything in it, is deprecated.
pub(crate) fn is_deprecated(input: &DeriveInput) -> bool {
    let deprecated =
        |attrs: &[Attribute]| attrs.iter().any(|attr| attr.path().is_ident("deprecated"));
    let in_fields = |fields: &Fields| fields.iter().any(|field| deprecated(&field.attrs));
    let inside = match &input.data {
        Data::Enum(data) => data
            .variants
            .iter()
            .any(|variant| deprecated(&variant.attrs) || in_fields(&variant.fields)),
        Data::Struct(data) => in_fields(&data.fields),
        Data::Union(_) => false,
    };
    inside || deprecated(&input.attrs)
}

/// Calls `read` for every item of every `#[message(...)]`, and continues after a mistake. Returns whether a
/// mistake may have hidden a tag, `other` or `fd`. If so, a missing one is not reported again.
fn for_each(
    cx: &Ctxt,
    attrs: &[Attribute],
    place: Place,
    mut read: impl FnMut(&ParseNestedMeta<'_>) -> Result<(), Error>,
) -> bool {
    let mut mistaken = false;
    for attr in attrs.iter().filter(|attr| attr.path() == MESSAGE) {
        let parsed = attr.parse_nested_meta(|meta| {
            if let Err(error) = read(&meta) {
                cx.push(error);
                skip_item(meta.input)?;
                mistaken |= matches!(meant(&meta.path, place), Some(TAG | OTHER | FD));
            }
            Ok(())
        });
        if let Err(error) = parsed {
            cx.push(match attr.parse_args::<Lit>() {
                Ok(value) => Error::new_spanned(&value, valueless(&value, place)),
                Err(_) => error,
            });
            mistaken = true;
        }
    }
    mistaken
}

fn once<T>(
    slot: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    value: impl FnOnce(&ParseNestedMeta<'_>) -> Result<T, Error>,
) -> Result<(), Error> {
    let value = value(meta)?;
    if slot.replace(value).is_some() {
        return Err(meta.error("written twice: remove one"));
    }
    Ok(())
}
