//! Parses the values of attributes. The errors say what to write instead.

use std::ops::RangeInclusive;

use proc_macro2::{Ident, Span, TokenTree};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Lit, LitInt, LitStr, Path, Token, Type, WherePredicate, token};

/// A tag, and where it is written.
#[derive(Clone, Copy)]
pub(crate) struct Tag {
    pub(crate) number: u32,
    pub(crate) span: Span,
}

/// Parses a word without a value.
pub(crate) fn flag(meta: &ParseNestedMeta<'_>) -> Result<Span, Error> {
    if meta.input.peek(Token![=]) || meta.input.peek(token::Paren) {
        return Err(instead(meta, "takes no value", ""));
    }
    Ok(meta.path.span())
}

pub(crate) fn tag(meta: &ParseNestedMeta<'_>) -> Result<Tag, Error> {
    if !meta.input.peek(Token![=]) {
        return Err(instead(meta, "needs a number", " = 1"));
    }
    number(meta.value()?)
}

/// Parses a path, with or without the quotes that serde needs.
pub(crate) fn path(meta: &ParseNestedMeta<'_>) -> Result<Path, Error> {
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

/// Parses a type. Returns also the span of the word.
pub(crate) fn ty(meta: &ParseNestedMeta<'_>) -> Result<(Span, Type), Error> {
    if !meta.input.peek(Token![=]) {
        return Err(instead(meta, "needs a type", " = Type"));
    }
    let input = meta.value()?;
    let ty = input.parse();
    let ty = ty.map_err(|error: Error| {
        Error::new(error.span(), instead(meta, "needs a type", " = Type"))
    })?;
    Ok((meta.path.span(), ty))
}

/// Parses the name of a function.
pub(crate) fn ident(meta: &ParseNestedMeta<'_>) -> Result<Ident, Error> {
    const VALUE: &str = " = other_name";

    if !meta.input.peek(Token![=]) {
        return Err(instead(meta, "needs a name", VALUE));
    }
    let input = meta.value()?;
    if let Some(quoted) = input.parse::<Option<LitStr>>()? {
        let message = match quoted.parse::<Ident>() {
            Ok(name) => format!("a name has no quotes: write #[message(name = {name})]"),
            Err(_) => instead(meta, "needs a name", VALUE).to_string(),
        };
        return Err(Error::new(quoted.span(), message));
    }
    input.parse().map_err(|error: Error| {
        Error::new(error.span(), instead(meta, "needs the name of a method", VALUE))
    })
}

/// Parses the predicates of a where-clause, in quotes as in serde.
pub(crate) fn bounds(meta: &ParseNestedMeta<'_>) -> Result<Vec<WherePredicate>, Error> {
    const VALUE: &str = " = \"T: Trait\"";

    if !meta.input.peek(Token![=]) {
        return Err(instead(meta, "needs bounds", VALUE));
    }
    let quoted: LitStr =
        meta.value()?.parse().map_err(|_| instead(meta, "needs bounds in quotes", VALUE))?;
    let parsed = quoted.parse_with(Punctuated::<WherePredicate, Token![,]>::parse_terminated)?;
    Ok(parsed.into_iter().collect())
}

/// Parses tags and ranges of tags in parentheses. Adds the valid ones to `read`, and returns the mistakes in the
/// others together.
pub(crate) fn ranges(
    meta: &ParseNestedMeta<'_>,
    read: &mut Vec<RangeInclusive<u32>>,
) -> Result<(), Error> {
    if !meta.input.peek(token::Paren) {
        return Err(instead(meta, "needs a list of tags", "(4, 7..=9)"));
    }
    let list;
    syn::parenthesized!(list in meta.input);
    if list.is_empty() {
        return Err(instead(meta, "needs a list of tags", "(4, 7..=9)"));
    }
    let mut mistakes: Option<Error> = None;
    while !list.is_empty() {
        match range(&list) {
            Ok(range) => read.push(range),
            Err(mistake) => {
                skip_item(&list)?;
                match &mut mistakes {
                    Some(mistakes) => mistakes.combine(mistake),
                    None => mistakes = Some(mistake),
                }
            }
        }
        list.parse::<Option<Token![,]>>()?;
    }
    mistakes.map_or(Ok(()), Err)
}

/// Skips the rest of an item, up to the next comma or the end. A comma between `<` and `>` is part of a type.
pub(crate) fn skip_item(input: ParseStream<'_>) -> Result<(), Error> {
    let mut open = 0_u32;
    while !input.is_empty() && (open > 0 || !input.peek(Token![,])) {
        match input.parse::<TokenTree>()? {
            TokenTree::Punct(punct) if punct.as_char() == '<' => open += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

fn range(input: ParseStream<'_>) -> Result<RangeInclusive<u32>, Error> {
    let first = number(input)?;
    if input.peek(Token![..=]) {
        input.parse::<Token![..=]>()?;
    } else if input.peek(Token![..]) {
        let dots = input.parse::<Token![..]>()?;
        let end: Option<u32> = number(input).ok().map(|end| end.number - 1);
        let last = end.filter(|last| *last > first.number).unwrap_or(u32::MAX);
        let message =
            format!("a range of tags includes its last tag: write `{}..={last}`", first.number);
        return Err(Error::new_spanned(dots, message));
    } else {
        return Ok(first.number..=first.number);
    }
    let last = number(input)?;
    if last.number < first.number {
        let message = format!("this range has no tags: write `{}..={}`", last.number, first.number);
        return Err(Error::new(first.span, message));
    }
    Ok(first.number..=last.number)
}

fn number(input: ParseStream<'_>) -> Result<Tag, Error> {
    const EXPECTED: &str = "a tag is a plain number from 1 to 4294967295, such as `7`";

    let literal: Lit = input.parse().map_err(|error| Error::new(error.span(), EXPECTED))?;
    let span = literal.span();
    let number = match &literal {
        Lit::Int(literal) => from_literal(literal).map_err(|message| Error::new(span, message))?,
        Lit::Str(quoted) => {
            let message = match quoted.value().parse::<u32>() {
                Ok(number @ 1..) => format!("a tag is a number, not text: write `{number}`"),
                _ => EXPECTED.to_owned(),
            };
            return Err(Error::new(span, message));
        }
        _ => return Err(Error::new(span, EXPECTED)),
    };
    // The caller parses the dots of a range, and the comma after a number.
    let ends = input.peek(Token![,]) || input.peek(Token![..]) || input.peek(Ident::peek_any);
    if !input.is_empty() && !ends {
        return Err(input.error(EXPECTED));
    }
    Ok(Tag { number, span })
}

fn from_literal(literal: &LitInt) -> Result<u32, String> {
    match (literal.base10_parse::<u32>(), literal.suffix()) {
        (Ok(0), _) => {
            Err("tag 0 is reserved for the runtime: write a number from 1 to 4294967295".to_owned())
        }
        (Ok(number), "" | "u32") => Ok(number),
        (Ok(number), _) => Err(format!("a tag is a `u32`: write `{number}`")),
        (Err(_), _) => Err(format!("a tag is a number from 1 to 4294967295, not `{literal}`")),
    }
}

fn instead(meta: &ParseNestedMeta<'_>, wrong: &str, value: &str) -> Error {
    let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
    let message = format!("`{word}` {wrong}: write #[message({word}{value})]");
    Error::new_spanned(&meta.path, message)
}
