//! Messages and their frames in hexadecimal, as in `vectors.txt`. Implementations in other languages can check
//! themselves against that file. A change here is a change of the wire.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fmt::Write as _;

use datagrammar::{Message, Unknown, to_vec};
use serde::{Deserialize, Serialize};

#[derive(Message, Debug)]
enum Vectors<'a> {
    #[message(tag = 1)]
    Unit,
    #[message(tag = 2)]
    Unsigned(u8, u16, u32, u64, u128),
    #[message(tag = 3)]
    Signed(i8, i16, i32, i64, i128),
    #[message(tag = 4)]
    Floats(f32, f64),
    #[message(tag = 5)]
    Flag(bool),
    #[message(tag = 6)]
    Letter(char),
    #[message(tag = 7)]
    Text(&'a str),
    #[message(tag = 8)]
    Bytes(&'a [u8]),
    #[message(tag = 9)]
    OptionalBytes(Option<Vec<u8>>),
    #[message(tag = 10)]
    Array([u8; 4]),
    #[message(tag = 11)]
    Rest {
        name: &'a str,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 12)]
    Option(Option<u16>),
    #[message(tag = 13)]
    Sequence(Vec<u32>),
    #[message(tag = 14)]
    Map(BTreeMap<String, u8>),
    #[message(tag = 15)]
    Tuple((u8, bool, String)),
    #[message(tag = 16)]
    Struct(Point),
    #[message(tag = 17)]
    Enum(Shape),
    #[message(tag = 18)]
    Defaulted {
        old: u8,
        #[message(default)]
        new: u16,
    },
    #[message(tag = 19)]
    Cow(Cow<'a, str>),
    #[message(tag = 20)]
    Usize(usize, isize),
    #[message(tag = 21)]
    Nested {
        id: u8,
        #[message(nested)]
        note: Note<'a>,
        after: u8,
    },
    #[message(tag = 22)]
    OptionalNested(#[message(nested)] Option<Note<'a>>),
    #[message(tag = 23)]
    ManyNested(#[message(nested)] Vec<Note<'a>>),
    #[message(tag = 24)]
    NestedRest {
        id: u8,
        #[message(nested, rest)]
        note: Box<Note<'a>>,
    },
    #[message(tag = 25)]
    SignedBytes(Vec<i8>),
    #[message(tag = 26)]
    Words([u16; 40]),
    #[message(tag = 250)]
    LastOfOneByte,
    #[message(tag = 251)]
    FirstOfThreeBytes,
    #[message(tag = 65_535)]
    LastOfThreeBytes,
    #[message(tag = 65_536)]
    FirstOfFiveBytes,
    #[message(tag = 4_294_967_295)]
    Last,
    #[message(other)]
    Other(Unknown<'a>),
}

#[derive(Message, Debug)]
enum Note<'a> {
    #[message(tag = 300)]
    Empty,
    #[message(tag = 1)]
    Text {
        text: &'a str,
        #[message(default)]
        urgent: bool,
    },
    #[message(tag = 2)]
    Of(#[message(nested)] Box<Self>),
    #[message(other)]
    Newer(Unknown<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Debug, Serialize, Deserialize)]
enum Shape {
    Empty,
    Circle(u8),
    Line { from: Point, to: Point },
}

/// Returns the messages of `vectors.txt`, in the same order.
fn messages() -> Vec<Vectors<'static>> {
    use Vectors::*;
    let unsigned = |n: u64| Unsigned(n as u8, n as u16, n as u32, n, n.into());
    vec![
        Unit,
        unsigned(0),
        unsigned(250),
        Unsigned(251, 251, 251, 251, 251),
        Unsigned(255, 65_535, 65_535, 65_535, 65_535),
        Unsigned(0, 0, 65_536, 65_536, 65_536),
        Unsigned(0, 0, u32::MAX, u32::MAX.into(), u32::MAX.into()),
        Unsigned(0, 0, 0, 1 << 32, 1 << 32),
        Unsigned(255, u16::MAX, u32::MAX, u64::MAX, u128::MAX),
        Unsigned(0, 0, 0, 0, 1 << 64),
        Signed(0, 0, 0, 0, 0),
        Signed(-1, -1, -1, -1, -1),
        Signed(1, 1, 1, 1, 1),
        Signed(-125, -125, -125, -125, -125),
        Signed(125, 125, 125, 125, 125),
        Signed(-126, -126, -126, -126, -126),
        Signed(i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN),
        Signed(i8::MAX, i16::MAX, i32::MAX, i64::MAX, i128::MAX),
        Floats(1.5, -2.25),
        Flag(false),
        Flag(true),
        Letter('a'),
        Letter('é'),
        Letter('\u{1f980}'),
        Text(""),
        Text("typed datagrams"),
        Bytes(&[]),
        Bytes(&[0, 127, 128, 255]),
        Bytes(&[7; 251]),
        OptionalBytes(None),
        OptionalBytes(Some(vec![1, 2, 3])),
        Array([1, 2, 254, 255]),
        Rest { name: "a", content: &[] },
        Rest { name: "notes", content: &[0, 1, 2, 255] },
        Option(None),
        Option(Some(300)),
        Sequence(vec![]),
        Sequence(vec![1, 250, 251, 70_000]),
        Map([("a".to_owned(), 1), ("bc".to_owned(), 255)].into()),
        Tuple((9, true, "nine".to_owned())),
        Struct(Point { x: 1, y: -1 }),
        Enum(Shape::Empty),
        Enum(Shape::Circle(3)),
        Enum(Shape::Line { from: Point { x: 0, y: 0 }, to: Point { x: 1000, y: -1000 } }),
        Defaulted { old: 1, new: 2 },
        Cow("cow".into()),
        Usize(300, -300),
        LastOfOneByte,
        FirstOfThreeBytes,
        LastOfThreeBytes,
        FirstOfFiveBytes,
        Last,
        Other(Unknown::new(99, &[1, 2, 3][..])),
        Nested { id: 7, note: Note::Empty, after: 8 },
        Nested { id: 7, note: Note::Text { text: "note", urgent: true }, after: 8 },
        Nested { id: 7, note: Note::Of(Box::new(Note::Of(Box::new(Note::Empty)))), after: 8 },
        Nested { id: 7, note: Note::Newer(Unknown::new(99, &[1, 2][..])), after: 8 },
        Nested { id: 7, note: Note::Newer(Unknown::new(99, &[3; 250][..])), after: 8 },
        OptionalNested(None),
        OptionalNested(Some(Note::Empty)),
        ManyNested(vec![]),
        ManyNested(vec![Note::Empty, Note::Text { text: "a", urgent: false }]),
        NestedRest { id: 7, note: Box::new(Note::Text { text: "rest", urgent: false }) },
        SignedBytes(vec![0, 1, -1, 127, -128]),
        Words(std::array::from_fn(|at| at as u16 * 10)),
    ]
}

/// Returns one line of `vectors.txt`.
fn line(message: &impl Debug, frame: &[u8]) -> String {
    format!("{message:?} = {}", hex(frame))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

pub(super) fn unhex(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// Returns the lines of frames, which precede those of datagrams.
fn lines(vectors: &str) -> impl Iterator<Item = &str> {
    let (frames, _datagrams) = vectors.split_once("# Datagrams").unwrap();
    frames.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[test]
fn frames_are_those_of_the_vectors() {
    let frames: Vec<String> =
        messages().iter().map(|message| line(message, &to_vec(message).unwrap())).collect();
    let golden: Vec<&str> = lines(include_str!("vectors.txt")).collect();
    assert_eq!(frames, golden, "the wire has changed:\n{}", frames.join("\n"));
}

#[test]
fn vectors_decode_to_their_messages() {
    let mut read = 0;
    for golden in lines(include_str!("vectors.txt")) {
        let (_, hex) = golden.rsplit_once(" = ").unwrap();
        let frame = unhex(hex);
        let message = Vectors::decode(&frame).unwrap();
        assert_eq!(line(&message, &frame), golden);
        read += 1;
    }
    assert_eq!(read, messages().len());
}

#[test]
fn every_variant_has_a_vector() {
    let tags: std::collections::BTreeSet<u32> = messages().iter().map(Message::tag).collect();
    for tag in (1..=26).chain([250, 251, 65_535, 65_536, u32::MAX, 99]) {
        assert!(tags.contains(&tag), "tag {tag} has no vector");
    }
}

#[test]
fn an_older_senders_frame_is_filled_up() {
    let old = Vectors::decode(&[18, 7]).unwrap();
    assert!(matches!(old, Vectors::Defaulted { old: 7, new: 0 }));
}

#[test]
fn integers_longer_than_need_be_are_read() {
    // The wire page allows it: a writer need not use the shortest form.
    for tag in [&[1][..], &[251, 1, 0], &[252, 1, 0, 0, 0]] {
        assert!(matches!(Vectors::decode(tag), Ok(Vectors::Unit)), "{tag:?}");
    }
}
