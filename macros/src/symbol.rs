//! The words of the attributes, and the places where each may be written.

use std::fmt::{self, Display};

use proc_macro2::Ident;
use syn::{Lit, Path};

/// A word of an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Symbol(&'static str);

pub(crate) const MESSAGE: Symbol = Symbol("message");

pub(crate) const BOUND: Symbol = Symbol("bound");
pub(crate) const CODEC: Symbol = Symbol("codec");
pub(crate) const CRATE: Symbol = Symbol("crate");
pub(crate) const DEFAULT: Symbol = Symbol("default");
pub(crate) const EXTENSIBLE: Symbol = Symbol("extensible");
pub(crate) const FD: Symbol = Symbol("fd");
pub(crate) const ITEMS: Symbol = Symbol("items");
pub(crate) const NAME: Symbol = Symbol("name");
pub(crate) const NESTED: Symbol = Symbol("nested");
pub(crate) const OTHER: Symbol = Symbol("other");
pub(crate) const REPLY: Symbol = Symbol("reply");
pub(crate) const RESERVED: Symbol = Symbol("reserved");
pub(crate) const REST: Symbol = Symbol("rest");
pub(crate) const TAG: Symbol = Symbol("tag");
pub(crate) const WITH: Symbol = Symbol("with");

/// A place for attributes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Place {
    Enum,
    Struct,
    Variant,
    Field,
}

use Place::{Enum, Field, Struct, Variant};

/// Each word, how to write it, and the places that take it.
const GRAMMAR: &[(Symbol, &str, &[Place])] = &[
    (TAG, "tag = N", &[Variant, Struct]),
    (OTHER, "other", &[Variant]),
    (RESERVED, "reserved(4, 7..=9)", &[Enum]),
    (EXTENSIBLE, "extensible", &[Variant, Enum, Struct]),
    (REPLY, "reply = Type", &[Variant]),
    (ITEMS, "items = Type", &[Variant]),
    (NAME, "name = method", &[Variant]),
    (CODEC, "codec = Path", &[Enum, Struct]),
    (CRATE, "crate = path", &[Enum, Struct]),
    (BOUND, "bound = \"T: Trait\"", &[Enum, Struct, Field]),
    (NESTED, "nested", &[Field]),
    (REST, "rest", &[Field]),
    (FD, "fd", &[Field]),
    (DEFAULT, "default", &[Field]),
    (WITH, "with = path", &[Field]),
];

/// Returns the message for a `word` at a place that does not take it, with what to write instead.
pub(crate) fn misplaced(word: &Path, place: Place) -> String {
    let here = forms(place);
    if let Some((symbol, _, places)) = GRAMMAR.iter().find(|(symbol, ..)| word == symbol) {
        let elsewhere = list(places.iter().map(Place::to_string));
        return format!("`{symbol}` goes on {elsewhere}, not on {place}: {place} takes {here}");
    }
    match meant(word, place) {
        Some(symbol) => {
            format!("unknown attribute: did you mean `{symbol}`? {place} takes {here}")
        }
        None => format!("unknown attribute: {place} takes {here}"),
    }
}

/// Returns the message for a value that has no word before it, with what to write instead.
pub(crate) fn valueless(value: &Lit, place: Place) -> String {
    match (value, place) {
        (Lit::Int(number), Struct | Variant) => {
            format!("a tag needs the word `tag` before it: write #[message(tag = {number})]")
        }
        _ => format!("a value needs a word before it: {place} takes {}", forms(place)),
    }
}

/// Returns the word that the user probably meant, among those that the place takes.
pub(crate) fn meant(word: &Path, place: Place) -> Option<Symbol> {
    let word = word.get_ident()?.to_string().to_lowercase();
    let here = GRAMMAR.iter().filter(|(.., places)| places.contains(&place));
    let near = here.map(|&(symbol, ..)| (distance(&word, symbol.0), symbol));
    let near = near.filter(|(distance, symbol)| distance * 2 < symbol.0.len());
    near.min_by_key(|(distance, _)| *distance).map(|(_, symbol)| symbol)
}

/// Returns how many letters must be inserted, removed or replaced to turn one word into the other.
fn distance(word: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (done, letter) in word.bytes().enumerate() {
        let mut left = done + 1;
        let mut next = vec![left];
        for (above, wanted) in row.windows(2).zip(other.bytes()) {
            if let [diagonal, above] = above {
                let replaced = diagonal + usize::from(letter != wanted);
                left = replaced.min(above + 1).min(left + 1);
                next.push(left);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Returns how to write each word that a place takes.
fn forms(place: Place) -> String {
    let here = GRAMMAR.iter().filter(|(.., places)| places.contains(&place));
    list(here.map(|(_, form, _)| format!("`{form}`")))
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
