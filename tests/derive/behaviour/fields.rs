//! Field types: bytes and text in every recognised form, and types through serde.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use datagrammar::{Message, to_vec};

use crate::is_sent_as;

#[derive(Message, Debug, PartialEq)]
#[allow(
    unused_qualifications,
    unused_parens,
    reason = "types are recognised however they are written"
)]
enum Bytes<'a> {
    #[message(tag = 1)]
    Lent(&'a [u8]),
    #[message(tag = 2)]
    Vec(Vec<u8>),
    #[message(tag = 3)]
    Cow(Cow<'a, [u8]>),
    #[message(tag = 4)]
    Boxed(Box<[u8]>),
    #[message(tag = 5)]
    OwnedCow(Cow<'static, [u8]>),
    #[message(tag = 6)]
    Array([u8; 3]),
    #[message(tag = 7)]
    ByPath(std::vec::Vec<u8>, std::borrow::Cow<'a, [u8]>),
    #[message(tag = 8)]
    Parentheses((&'a [u8]), (Vec<(u8)>)),
}

#[derive(Message, Debug, PartialEq)]
#[allow(unused_qualifications, reason = "types are recognised however they are written")]
enum Optional<'a> {
    #[message(tag = 1)]
    Lent(Option<&'a [u8]>),
    #[message(tag = 2)]
    Vec(Option<Vec<u8>>),
    #[message(tag = 3)]
    Cow(Option<Cow<'a, [u8]>>),
    #[message(tag = 4)]
    Boxed(Option<Box<[u8]>>),
    #[message(tag = 5)]
    OwnedCow(Option<Cow<'static, [u8]>>),
    #[message(tag = 6)]
    Array(Option<[u8; 3]>),
    #[message(tag = 7)]
    ByPath(std::option::Option<Vec<u8>>),
    #[message(tag = 8)]
    Twice(Option<Option<Vec<u8>>>),
}

#[derive(Message, Debug, PartialEq)]
#[allow(unused_qualifications, reason = "types are recognised however they are written")]
enum Text<'a> {
    #[message(tag = 1)]
    Lent(&'a str),
    #[message(tag = 2)]
    String(String),
    #[message(tag = 3)]
    Cow(Cow<'a, str>),
    #[message(tag = 4)]
    Boxed(Box<str>),
    #[message(tag = 5)]
    OwnedCow(Cow<'static, str>),
    #[message(tag = 6)]
    OptionalLent(Option<&'a str>),
    #[message(tag = 7)]
    OptionalString(Option<String>),
    #[message(tag = 8)]
    OptionalCow(Option<Cow<'a, str>>),
    #[message(tag = 9)]
    OptionalBoxed(Option<Box<str>>),
    #[message(tag = 10)]
    OptionalOwnedCow(Option<Cow<'static, str>>),
    #[message(tag = 11)]
    ByPath(std::string::String),
}

#[derive(Message, Debug, PartialEq)]
enum Rest<'a> {
    #[message(tag = 1)]
    Lent(u8, #[message(rest)] &'a [u8]),
    #[message(tag = 2)]
    Vec(u8, #[message(rest)] Vec<u8>),
    #[message(tag = 3)]
    Cow(u8, #[message(rest)] Cow<'a, [u8]>),
    #[message(tag = 4)]
    Boxed(u8, #[message(rest)] Box<[u8]>),
    #[message(tag = 5)]
    OwnedCow(u8, #[message(rest)] Cow<'static, [u8]>),
}

#[test]
fn bytes_are_a_length_and_themselves() {
    is_sent_as(Bytes::Lent(b"ab"), &[1, 2, b'a', b'b']);
    is_sent_as(Bytes::Vec(b"ab".to_vec()), &[2, 2, b'a', b'b']);
    is_sent_as(Bytes::Cow(b"ab".into()), &[3, 2, b'a', b'b']);
    is_sent_as(Bytes::Boxed((*b"ab").into()), &[4, 2, b'a', b'b']);
    is_sent_as(Bytes::OwnedCow(b"ab".into()), &[5, 2, b'a', b'b']);
    is_sent_as(Bytes::Array(*b"abc"), &[6, b'a', b'b', b'c']);
    is_sent_as(Bytes::ByPath(vec![1], Cow::Owned(vec![2])), &[7, 1, 1, 1, 2]);
    is_sent_as(Bytes::Parentheses(b"a", vec![1]), &[8, 1, b'a', 1, 1]);
    is_sent_as(Bytes::Lent(&[]), &[1, 0]);
}

#[test]
fn optional_bytes_have_a_byte_before_them() {
    is_sent_as(Optional::Lent(Some(b"a")), &[1, 1, 1, b'a']);
    is_sent_as(Optional::Lent(None), &[1, 0]);
    is_sent_as(Optional::Vec(Some(b"a".to_vec())), &[2, 1, 1, b'a']);
    is_sent_as(Optional::Vec(None), &[2, 0]);
    is_sent_as(Optional::Cow(Some(b"a".into())), &[3, 1, 1, b'a']);
    is_sent_as(Optional::Cow(None), &[3, 0]);
    is_sent_as(Optional::Boxed(Some((*b"a").into())), &[4, 1, 1, b'a']);
    is_sent_as(Optional::Boxed(None), &[4, 0]);
    is_sent_as(Optional::OwnedCow(Some(b"a".into())), &[5, 1, 1, b'a']);
    is_sent_as(Optional::OwnedCow(None), &[5, 0]);
    is_sent_as(Optional::Array(Some(*b"abc")), &[6, 1, b'a', b'b', b'c']);
    is_sent_as(Optional::Array(None), &[6, 0]);
    is_sent_as(Optional::ByPath(Some(vec![1])), &[7, 1, 1, 1]);
    is_sent_as(Optional::Twice(Some(None)), &[8, 1, 0]);
    is_sent_as(Optional::Twice(Some(Some(vec![1]))), &[8, 1, 1, 1, 1]);
}

#[test]
fn text_is_its_bytes() {
    is_sent_as(Text::Lent("é"), &[1, 2, 195, 169]);
    is_sent_as(Text::String("é".to_owned()), &[2, 2, 195, 169]);
    is_sent_as(Text::Cow("é".into()), &[3, 2, 195, 169]);
    is_sent_as(Text::Boxed("é".into()), &[4, 2, 195, 169]);
    is_sent_as(Text::OwnedCow("é".into()), &[5, 2, 195, 169]);
    is_sent_as(Text::OptionalLent(Some("a")), &[6, 1, 1, b'a']);
    is_sent_as(Text::OptionalLent(None), &[6, 0]);
    is_sent_as(Text::OptionalString(Some("a".to_owned())), &[7, 1, 1, b'a']);
    is_sent_as(Text::OptionalCow(Some("a".into())), &[8, 1, 1, b'a']);
    is_sent_as(Text::OptionalCow(None), &[8, 0]);
    is_sent_as(Text::OptionalBoxed(Some("a".into())), &[9, 1, 1, b'a']);
    is_sent_as(Text::OptionalOwnedCow(Some("a".into())), &[10, 1, 1, b'a']);
    is_sent_as(Text::ByPath("a".to_owned()), &[11, 1, b'a']);
    for tag in [1, 2, 3, 4, 5] {
        let error = Text::decode(&[tag, 2, 195, 40]).unwrap_err().to_string();
        assert!(error.ends_with("the text is not UTF-8 at its byte 0"), "{error}");
    }
}

#[test]
fn rest_is_the_bytes_alone() {
    is_sent_as(Rest::Lent(1, b"ab"), &[1, 1, b'a', b'b']);
    is_sent_as(Rest::Vec(1, b"ab".to_vec()), &[2, 1, b'a', b'b']);
    is_sent_as(Rest::Cow(1, b"ab".into()), &[3, 1, b'a', b'b']);
    is_sent_as(Rest::Boxed(1, (*b"ab").into()), &[4, 1, b'a', b'b']);
    is_sent_as(Rest::OwnedCow(1, b"ab".into()), &[5, 1, b'a', b'b']);
    is_sent_as(Rest::Lent(1, &[]), &[1, 1]);
    is_sent_as(Rest::Boxed(1, Box::default()), &[4, 1]);
}

#[test]
fn what_can_borrow_from_the_frame_does() {
    let lent = |slice: &[u8], frame: &[u8]| frame.as_ptr_range().contains(&slice.as_ptr());

    let frame = [3, 1, b'a'];
    let Ok(Bytes::Cow(Cow::Borrowed(bytes))) = Bytes::decode(&frame) else { panic!() };
    assert!(lent(bytes, &frame));
    let Ok(Bytes::OwnedCow(Cow::Owned(_))) = Bytes::decode(&[5, 1, b'a']) else { panic!() };
    let Ok(Optional::Cow(Some(Cow::Borrowed(_)))) = Optional::decode(&[3, 1, 1, b'a']) else {
        panic!()
    };
    let Ok(Text::Cow(Cow::Borrowed(text))) = Text::decode(&frame) else { panic!() };
    assert!(lent(text.as_bytes(), &frame));
    let Ok(Text::OptionalCow(Some(Cow::Borrowed(_)))) = Text::decode(&[8, 1, 1, b'a']) else {
        panic!()
    };
    let Ok(Text::OwnedCow(Cow::Owned(_))) = Text::decode(&[5, 1, b'a']) else { panic!() };
    let Ok(Rest::Cow(_, Cow::Borrowed(_))) = Rest::decode(&[3, 1, b'a']) else { panic!() };
    let Ok(Rest::OwnedCow(_, Cow::Owned(_))) = Rest::decode(&[5, 1, b'a']) else { panic!() };
}

#[derive(Message, Debug, PartialEq)]
enum Serde<'a> {
    #[message(tag = 1)]
    Texts(Vec<&'a str>),
    #[message(tag = 2)]
    Map(BTreeMap<&'a str, Vec<u8>>),
    #[message(tag = 3)]
    Hashed(HashMap<u8, String>),
    #[message(tag = 4)]
    Tuple((u8, &'a [u8], Option<&'a str>)),
    #[message(tag = 5)]
    Words([u16; 2]),
    #[message(tag = 6)]
    Nested(Box<Option<Vec<Vec<u8>>>>),
    #[message(tag = 7)]
    Nothing(std::marker::PhantomData<&'a u8>),
}

#[test]
fn other_types_are_as_serde_has_them() {
    is_sent_as(Serde::Texts(vec!["a", ""]), &[1, 2, 1, b'a', 0]);
    is_sent_as(Serde::Map([("a", vec![9])].into()), &[2, 1, 1, b'a', 1, 9]);
    is_sent_as(Serde::Hashed([(1, "a".to_owned())].into()), &[3, 1, 1, 1, b'a']);
    is_sent_as(Serde::Tuple((1, b"a", Some("b"))), &[4, 1, 1, b'a', 1, 1, b'b']);
    is_sent_as(Serde::Words([1, 300]), &[5, 1, 251, 44, 1]);
    is_sent_as(Serde::Nested(Box::new(Some(vec![vec![1], vec![]]))), &[6, 1, 2, 1, 1, 0]);
    is_sent_as(Serde::Nothing(std::marker::PhantomData), &[7]);
}

#[derive(Message, Debug, PartialEq, Default)]
#[message(tag = 1)]
struct Many {
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    i: u8,
    j: u8,
    k: u8,
    l: u8,
    m: u8,
    n: u8,
    o: u8,
    p: u8,
    q: u8,
    r: u8,
    s: u8,
    t: Vec<u8>,
}

#[test]
fn fields_may_be_more_than_a_tuple_has() {
    let frame = to_vec(&Many { a: 1, s: 2, t: vec![3], ..Many::default() }).unwrap();
    let mut expected = [0; 22];
    (expected[0], expected[1], expected[19]) = (1, 1, 2);
    (expected[20], expected[21]) = (1, 3);
    assert_eq!(frame, expected);
    is_sent_as(Many::decode(&frame).unwrap(), &frame);
}

/// Byte strings that are not copied, and more of them than a frame may borrow.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Long<'a>(&'a [u8], Vec<u8>, &'a str, Option<Box<[u8]>>, String, #[message(rest)] &'a [u8]);

#[test]
fn long_fields_keep_their_order() {
    let bytes = |byte: u8| vec![byte; 40_000];
    let text = |letter: &str| letter.repeat(40_000);
    let (first, last, lent) = (bytes(1), bytes(6), text("c"));
    let message = Long(&first, bytes(2), &lent, Some(bytes(4).into()), text("e"), &last);
    let frame = to_vec(&message).unwrap();
    let runs: Vec<(u8, usize)> = frame
        .chunk_by(|a, b| a == b)
        .map(|run| (run[0], run.len()))
        .filter(|run| run.1 > 2)
        .collect();
    assert_eq!(
        runs,
        [(1, 40_000), (2, 40_000), (b'c', 40_000), (4, 40_000), (b'e', 40_000), (6, 40_000)]
    );
    is_sent_as(message, &frame);
}
