//! Attributes, parsed: the one file that reads [`syn::Attribute`].

use std::ops::RangeInclusive;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, LitInt, LitStr, Path, Token, token};

use crate::ctxt::Ctxt;
use crate::symbol::{
    CODEC, CRATE, DEFAULT, EXTENSIBLE, MESSAGE, OTHER, Place, RESERVED, REST, TAG, WITH, misplaced,
};

/// A tag, and where it is written.
#[derive(Clone, Copy)]
pub(crate) struct Tag {
    pub(crate) number: u32,
    pub(crate) span: Span,
}

/// The attributes of an enum or a struct.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) tag: Option<Tag>,
    pub(crate) reserved: Vec<RangeInclusive<u32>>,
    pub(crate) extensible: Option<Span>,
    pub(crate) codec: Option<Path>,
    pub(crate) krate: Option<Path>,
}

/// The attributes of a variant.
#[derive(Default)]
pub(crate) struct Variant {
    pub(crate) tag: Option<Tag>,
    pub(crate) other: Option<Span>,
    pub(crate) extensible: Option<Span>,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) rest: Option<Span>,
    pub(crate) default: Option<Span>,
    pub(crate) with: Option<Path>,
}

impl Container {
    /// The attributes of a container, which is `place`: an enum or a struct.
    pub(crate) fn read(cx: &Ctxt, attrs: &[Attribute], place: Place) -> Self {
        let mut read = Self::default();
        for_each(cx, attrs, |meta| {
            if meta.path == RESERVED && place == Place::Enum {
                read.reserved.extend(ranges(meta)?);
                Ok(())
            } else if meta.path == TAG && place == Place::Struct {
                once(&mut read.tag, meta, tag)
            } else if meta.path == EXTENSIBLE {
                once(&mut read.extensible, meta, flag)
            } else if meta.path == CODEC {
                once(&mut read.codec, meta, path)
            } else if meta.path == CRATE {
                once(&mut read.krate, meta, path)
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
        for_each(cx, attrs, |meta| {
            if meta.path == TAG {
                once(&mut read.tag, meta, tag)
            } else if meta.path == OTHER {
                once(&mut read.other, meta, flag)
            } else if meta.path == EXTENSIBLE {
                once(&mut read.extensible, meta, flag)
            } else {
                Err(Error::new_spanned(&meta.path, misplaced(&meta.path, Place::Variant)))
            }
        });
        read
    }
}

impl Field {
    pub(crate) fn read(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut read = Self::default();
        for_each(cx, attrs, |meta| {
            if meta.path == REST {
                once(&mut read.rest, meta, flag)
            } else if meta.path == DEFAULT {
                once(&mut read.default, meta, flag)
            } else if meta.path == WITH {
                once(&mut read.with, meta, path)
            } else {
                Err(Error::new_spanned(&meta.path, misplaced(&meta.path, Place::Field)))
            }
        });
        read
    }
}

/// Hands every item of every `#[message(...)]` to `read`, going on after a mistake.
fn for_each(
    cx: &Ctxt,
    attrs: &[Attribute],
    mut read: impl FnMut(&ParseNestedMeta<'_>) -> Result<(), Error>,
) {
    for attr in attrs.iter().filter(|attr| attr.path() == MESSAGE) {
        let parsed = attr.parse_nested_meta(|meta| {
            if let Err(error) = read(&meta) {
                cx.push(error);
                skip_item(meta.input)?;
            }
            Ok(())
        });
        if let Err(error) = parsed {
            cx.push(error);
        }
    }
}

fn skip_item(input: ParseStream<'_>) -> Result<(), Error> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn once<T>(
    slot: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    value: impl FnOnce(&ParseNestedMeta<'_>) -> Result<T, Error>,
) -> Result<(), Error> {
    let value = value(meta)?;
    if slot.replace(value).is_some() {
        return Err(meta.error("written twice: remove one of them"));
    }
    Ok(())
}

/// A word that stands alone.
fn flag(meta: &ParseNestedMeta<'_>) -> Result<Span, Error> {
    if meta.input.peek(Token![=]) || meta.input.peek(token::Paren) {
        return Err(instead(meta, "takes no value", ""));
    }
    Ok(meta.path.span())
}

fn tag(meta: &ParseNestedMeta<'_>) -> Result<Tag, Error> {
    if !meta.input.peek(Token![=]) {
        return Err(instead(meta, "needs a number", " = 1"));
    }
    number(meta.value()?)
}

/// A path, as it is or as serde writes it: between quotes.
fn path(meta: &ParseNestedMeta<'_>) -> Result<Path, Error> {
    if !meta.input.peek(Token![=]) {
        return Err(instead(meta, "needs a path", " = some::path"));
    }
    let input = meta.value()?;
    let parsed = match input.parse::<Option<LitStr>>()? {
        Some(quoted) => quoted.parse(),
        None => input.parse(),
    };
    parsed.map_err(|error| Error::new(error.span(), instead(meta, "needs a path", " = some::path")))
}

fn ranges(meta: &ParseNestedMeta<'_>) -> Result<Vec<RangeInclusive<u32>>, Error> {
    if !meta.input.peek(token::Paren) {
        return Err(instead(meta, "needs a list of tags", "(4, 7..=9)"));
    }
    let list;
    syn::parenthesized!(list in meta.input);
    let ranges = Punctuated::<Range, Token![,]>::parse_terminated(&list);
    // What a list has left when it is dropped is a mistake of its own to syn.
    list.parse::<TokenStream>()?;
    let ranges = ranges?;
    if ranges.is_empty() {
        return Err(instead(meta, "needs a list of tags", "(4, 7..=9)"));
    }
    Ok(ranges.into_iter().map(|Range(range)| range).collect())
}

struct Range(RangeInclusive<u32>);

impl Parse for Range {
    fn parse(input: ParseStream<'_>) -> Result<Self, Error> {
        let first = number(input)?;
        if input.peek(Token![..=]) {
            input.parse::<Token![..=]>()?;
        } else if input.peek(Token![..]) {
            return Err(input.error("a range of tags names its last one: write `7..=9`"));
        } else {
            return Ok(Self(first.number..=first.number));
        }
        let last = number(input)?;
        if last.number < first.number {
            let message = format!("no tag is in it: write `{}..={}`", last.number, first.number);
            return Err(Error::new(first.span, message));
        }
        Ok(Self(first.number..=last.number))
    }
}

fn number(input: ParseStream<'_>) -> Result<Tag, Error> {
    const EXPECTED: &str = "a tag is a number from 1 to 4294967295, written as a literal";

    let literal: LitInt = input.parse().map_err(|error| Error::new(error.span(), EXPECTED))?;
    let number = match literal.base10_parse() {
        Ok(0) => {
            let message = "tag 0 is the runtime's own: write a number from 1 to 4294967295";
            return Err(Error::new(literal.span(), message));
        }
        Ok(number) if matches!(literal.suffix(), "" | "u32") => number,
        _ => return Err(Error::new(literal.span(), EXPECTED)),
    };
    Ok(Tag { number, span: literal.span() })
}

fn instead(meta: &ParseNestedMeta<'_>, wrong: &str, value: &str) -> Error {
    let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
    let message = format!("`{word}` {wrong}: write #[message({word}{value})]");
    Error::new_spanned(&meta.path, message)
}
