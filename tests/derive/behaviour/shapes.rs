//! The shapes of variants and of structs, their tags and their names.

use datagrammar::Message;
use serde::{Deserialize, Serialize};

use crate::is_sent_as;

#[derive(Message, Debug, PartialEq)]
enum Shapes {
    #[message(tag = 1)]
    Unit,
    #[message(tag = 2)]
    EmptyTuple(),
    #[message(tag = 3)]
    EmptyBraces {},
    #[message(tag = 4)]
    Tuple(u8, bool),
    #[message(tag = 5)]
    Named { first: u8, second: bool },
    #[message(tag = 4_294_967_295)]
    Last(()),
}

#[test]
fn variants_of_every_shape() {
    is_sent_as(Shapes::Unit, &[1]);
    is_sent_as(Shapes::EmptyTuple(), &[2]);
    is_sent_as(Shapes::EmptyBraces {}, &[3]);
    is_sent_as(Shapes::Tuple(7, true), &[4, 7, 1]);
    is_sent_as(Shapes::Named { first: 7, second: true }, &[5, 7, 1]);
    is_sent_as(Shapes::Last(()), &[252, 255, 255, 255, 255]);
}

#[test]
fn messages_know_their_tags_and_names() {
    let known = |message: &Shapes| (message.tag(), message.name());
    assert_eq!(known(&Shapes::Unit), (1, "Unit"));
    assert_eq!(known(&Shapes::EmptyTuple()), (2, "EmptyTuple"));
    assert_eq!(known(&Shapes::EmptyBraces {}), (3, "EmptyBraces"));
    assert_eq!(known(&Shapes::Tuple(0, false)), (4, "Tuple"));
    assert_eq!(known(&Shapes::Named { first: 0, second: false }), (5, "Named"));
    assert_eq!(known(&Shapes::Last(())), (u32::MAX, "Last"));
    assert_eq!((Unit.tag(), Unit.name()), (1, "Unit"));
    assert_eq!((Tuple(1, 2).tag(), Tuple(1, 2).name()), (300, "Tuple"));
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Unit;

#[derive(Message, Debug, PartialEq)]
#[message(tag = 300)]
struct Tuple(u8, i8);

#[derive(Message, Debug, PartialEq)]
#[message(tag = 3)]
struct Named<'a> {
    name: &'a str,
    #[message(rest)]
    content: &'a [u8],
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 4, extensible, codec = datagrammar::codec::Bincode, crate = ::datagrammar)]
struct Everything {
    first: u8,
    #[message(default)]
    second: u8,
}

#[test]
fn structs_are_the_only_message_of_their_protocol() {
    is_sent_as(Unit, &[1]);
    is_sent_as(Tuple(1, -1), &[251, 44, 1, 1, 255]);
    is_sent_as(Named { name: "a", content: b"bc" }, &[3, 1, b'a', b'b', b'c']);
    is_sent_as(Everything { first: 1, second: 2 }, &[4, 1, 2]);
    assert_eq!(Everything::decode(&[4, 1]).unwrap(), Everything { first: 1, second: 0 });
    assert_eq!(Everything::decode(&[4, 1, 2, 3]).unwrap(), Everything { first: 1, second: 2 });
}

#[derive(Message, Debug, PartialEq)]
enum Empty {}

#[derive(Message, Debug, PartialEq)]
#[message(reserved(1, 3..=9), extensible)]
enum Retired {}

#[test]
fn an_enum_without_variants_has_no_message() {
    for tag in [1, 2, 9] {
        assert_eq!(
            Empty::decode(&[tag]).unwrap_err().to_string(),
            Retired::decode(&[tag]).unwrap_err().to_string(),
        );
    }
}

/// Names that an expansion might use itself.
#[derive(Message, Debug, PartialEq)]
enum Ours<'message> {
    #[message(tag = 1)]
    Borrowed(&'message str),
    #[message(tag = 2)]
    Ok { value: u8, result: u8 },
    #[message(tag = 3)]
    Err(u8),
    #[message(tag = 4)]
    Some(u8),
    #[message(tag = 5)]
    None,
    #[message(tag = 6)]
    Message { message: u8, unknown: u8, bytes: u8, of: u8, with: u8, held: u8 },
    #[message(tag = 7)]
    Decoder { decoder: u8, encoder: u8, frame: u8, tag: u8, field_1: u8, field_0: u8 },
}

#[test]
fn variants_and_fields_may_have_any_name() {
    is_sent_as(Ours::Borrowed("a"), &[1, 1, b'a']);
    is_sent_as(Ours::Ok { value: 1, result: 2 }, &[2, 1, 2]);
    is_sent_as(Ours::Err(1), &[3, 1]);
    is_sent_as(Ours::Some(1), &[4, 1]);
    is_sent_as(Ours::None, &[5]);
    let message = Ours::Message { message: 1, unknown: 2, bytes: 3, of: 4, with: 5, held: 6 };
    is_sent_as(message, &[6, 1, 2, 3, 4, 5, 6]);
    let decoder =
        Ours::Decoder { decoder: 1, encoder: 2, frame: 3, tag: 4, field_1: 5, field_0: 6 };
    is_sent_as(decoder, &[7, 1, 2, 3, 4, 5, 6]);
}

#[derive(Message, Debug, PartialEq)]
#[allow(non_camel_case_types, reason = "keywords are written so")]
enum r#enum {
    #[message(tag = 1)]
    r#match { r#type: u8, r#fn: r#struct },
    #[message(tag = 2)]
    r#use,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[allow(non_camel_case_types, reason = "keywords are written so")]
struct r#struct(u8);

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
#[allow(non_camel_case_types, reason = "keywords are written so")]
struct r#trait {
    r#async: u8,
}

#[test]
fn keywords_are_names_without_their_marks() {
    let message = r#enum::r#match { r#type: 1, r#fn: r#struct(2) };
    assert_eq!((message.name(), r#enum::r#use.name()), ("match", "use"));
    is_sent_as(message, &[1, 1, 2]);
    is_sent_as(r#enum::r#use, &[2]);
    let error = r#enum::decode(&[1, 1]).unwrap_err().to_string();
    assert!(error.starts_with("field `match.fn`"), "{error}");
    assert_eq!(r#trait { r#async: 1 }.name(), "trait");
    let error = r#trait::decode(&[1]).unwrap_err().to_string();
    assert!(error.starts_with("field `trait.async`"), "{error}");
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Tree {
    value: u8,
    children: Option<Box<Branch>>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Branch {
    value: u8,
    next: Option<Box<Self>>,
}

#[test]
fn values_may_hold_values_of_their_own_type() {
    let leaf = Branch { value: 3, next: None };
    let branch = Branch { value: 2, next: Some(Box::new(leaf)) };
    is_sent_as(Tree { value: 1, children: Some(Box::new(branch)) }, &[1, 1, 1, 2, 1, 3, 0]);
    is_sent_as(Tree { value: 1, children: None }, &[1, 1, 0]);
}

/// Reserved tags, and tags that are not in sequence.
#[derive(Message, Debug, PartialEq)]
#[message(reserved(2, 4..=6,), reserved(8))]
#[message(reserved(20..=4_294_967_295))]
enum Numbers {
    #[message(tag = 7)]
    Seven,
    #[message(tag = 0x10)]
    Hexadecimal,
    #[message(tag = 3u32)]
    Suffixed,
    #[message(tag = 1)]
    Comma,
}

#[test]
fn tags_are_those_that_are_written() {
    is_sent_as(Numbers::Seven, &[7]);
    is_sent_as(Numbers::Hexadecimal, &[16]);
    is_sent_as(Numbers::Suffixed, &[3]);
    is_sent_as(Numbers::Comma, &[1]);
}

#[derive(Message, Debug, PartialEq)]
#[repr(u8)]
#[non_exhaustive]
enum Discriminants {
    #[message(tag = 1)]
    One = 9,
    #[message(tag = 2)]
    Two(u8) = 7,
}

#[test]
fn discriminants_are_not_sent() {
    is_sent_as(Discriminants::One, &[1]);
    is_sent_as(Discriminants::Two(3), &[2, 3]);
}
