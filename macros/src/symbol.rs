//! The words of the attribute grammar, and where each of them may be written.

use std::fmt::{self, Display};

use proc_macro2::Ident;
use syn::Path;

/// A word that an attribute is recognised by.
#[derive(Clone, Copy)]
pub(crate) struct Symbol(&'static str);

pub(crate) const MESSAGE: Symbol = Symbol("message");

pub(crate) const CODEC: Symbol = Symbol("codec");
pub(crate) const CRATE: Symbol = Symbol("crate");
pub(crate) const DEFAULT: Symbol = Symbol("default");
pub(crate) const EXTENSIBLE: Symbol = Symbol("extensible");
pub(crate) const OTHER: Symbol = Symbol("other");
pub(crate) const RESERVED: Symbol = Symbol("reserved");
pub(crate) const REST: Symbol = Symbol("rest");
pub(crate) const TAG: Symbol = Symbol("tag");
pub(crate) const WITH: Symbol = Symbol("with");

/// Something that carries attributes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Place {
    Enum,
    Struct,
    Variant,
    Field,
}

use Place::{Enum, Field, Struct, Variant};

/// Each word, how it is written, and the places that take it.
const GRAMMAR: &[(Symbol, &str, &[Place])] = &[
    (TAG, "tag = N", &[Variant, Struct]),
    (OTHER, "other", &[Variant]),
    (RESERVED, "reserved(4, 7..=9)", &[Enum]),
    (EXTENSIBLE, "extensible", &[Variant, Enum, Struct]),
    (CODEC, "codec = Path", &[Enum, Struct]),
    (CRATE, "crate = path", &[Enum, Struct]),
    (REST, "rest", &[Field]),
    (DEFAULT, "default", &[Field]),
    (WITH, "with = path", &[Field]),
];

/// What is wrong with `word` at a place that does not take it, and what to write instead.
pub(crate) fn misplaced(word: &Path, place: Place) -> String {
    let here = list(
        GRAMMAR
            .iter()
            .filter(|(.., places)| places.contains(&place))
            .map(|(_, form, _)| format!("`{form}`")),
    );
    match GRAMMAR.iter().find(|(symbol, ..)| word == symbol) {
        Some((symbol, _, places)) => {
            let elsewhere = list(places.iter().map(Place::to_string));
            format!("`{symbol}` goes on {elsewhere}, not on {place}, which takes {here}")
        }
        None => format!("unknown attribute: {place} takes {here}"),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    match items.pop() {
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} or {last}", items.join(", ")),
        None => String::new(),
    }
}

impl Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Enum => "an enum",
            Struct => "a struct",
            Variant => "a variant",
            Field => "a field",
        })
    }
}

impl PartialEq<Symbol> for Path {
    fn eq(&self, word: &Symbol) -> bool {
        self.is_ident(word.0)
    }
}

impl PartialEq<Symbol> for &Path {
    fn eq(&self, word: &Symbol) -> bool {
        self.is_ident(word.0)
    }
}

impl PartialEq<Symbol> for Ident {
    fn eq(&self, word: &Symbol) -> bool {
        self == word.0
    }
}
