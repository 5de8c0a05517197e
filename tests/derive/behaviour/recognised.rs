//! Recognised types: none of these goes through serde, under any name.
#![allow(
    clippy::box_collection,
    clippy::box_default,
    clippy::large_enum_variant,
    clippy::redundant_allocation,
    reason = "types are recognised whatever they are"
)]

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use datagrammar::codec::{Bincode, Codec};
use datagrammar::{DecodeError, Fault, Message, to_vec};
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};

use crate::is_sent_as;

/// Bincode that counts the values that go through serde.
enum Counting {}

thread_local! {
    static THROUGH_SERDE: Cell<usize> = const { Cell::new(0) };
}

fn through_serde() -> usize {
    THROUGH_SERDE.replace(0)
}

impl Codec for Counting {
    fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        THROUGH_SERDE.set(THROUGH_SERDE.get() + 1);
        Bincode::encode(value, out)
    }

    fn encode_u32(value: u32, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        Bincode::encode_u32(value, out)
    }

    fn encode_u64(value: u64, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        Bincode::encode_u64(value, out)
    }

    fn decode<'f, S: DeserializeSeed<'f>>(
        seed: S,
        input: &'f [u8],
    ) -> Result<(S::Value, usize), Fault> {
        THROUGH_SERDE.set(THROUGH_SERDE.get() + 1);
        Bincode::decode(seed, input)
    }

    fn decode_u32(input: &[u8]) -> Result<(u32, &[u8]), Fault> {
        Bincode::decode_u32(input)
    }

    fn decode_u64(input: &[u8]) -> Result<(u64, &[u8]), Fault> {
        Bincode::decode_u64(input)
    }
}

type Content = Vec<u8>;
type Key = [u8; 64];
type Lent<'a> = &'a [u8];
type Kept = Cow<'static, [u8]>;
type Signed = Vec<i8>;

#[derive(Message, Debug, PartialEq)]
#[message(codec = Counting)]
enum Bytes<'a> {
    #[message(tag = 1)]
    Alias(Content, Option<Content>),
    #[message(tag = 2)]
    Boxed(Box<Vec<u8>>, Box<Content>),
    #[message(tag = 3)]
    Shared(Arc<[u8]>, Rc<[u8]>),
    #[message(tag = 4)]
    Several(Vec<Vec<u8>>, Vec<Content>),
    #[message(tag = 5)]
    Tuple((Vec<u8>, u8), (Content, Option<(Lent<'a>, Vec<u8>)>)),
    #[message(tag = 6)]
    Signed(Vec<i8>, Signed, i8),
    #[message(tag = 7)]
    Lent(Lent<'a>, Option<Lent<'a>>, Vec<Lent<'a>>, Kept),
    #[message(tag = 8)]
    Keys(Key, Option<[u8; 64]>, Vec<[u8; 64]>, Vec<Key>, [[u8; 40]; 2]),
    #[message(tag = 9)]
    Maps(BTreeMap<u32, Vec<u8>>, HashMap<String, Content>),
    #[message(tag = 10)]
    Rest(#[message(rest)] Content),
    #[message(tag = 11)]
    LentRest(#[message(rest)] Lent<'a>),
    #[message(tag = 12)]
    SharedRest(#[message(rest)] Arc<[u8]>),
}

#[test]
fn bytes_are_bytes_under_any_name() {
    let long = || vec![7; 300];
    let messages = [
        Bytes::Alias(long(), Some(vec![1])),
        Bytes::Boxed(Box::new(long()), Box::new(vec![])),
        Bytes::Shared(long().into(), vec![1, 2].into()),
        Bytes::Several(vec![long(), vec![]], vec![vec![1]]),
        Bytes::Tuple((long(), 9), (vec![], Some((&[1, 2], vec![3])))),
        Bytes::Lent(&[1], Some(&[2, 3]), vec![&[4], &[]], Cow::Owned(long())),
        Bytes::Keys([1; 64], Some([2; 64]), vec![[3; 64]; 2], vec![], [[5; 40], [6; 40]]),
        Bytes::Maps([(1, long()), (300, vec![])].into(), [("a".to_owned(), long())].into()),
        Bytes::Rest(long()),
        Bytes::LentRest(&[1, 2]),
        Bytes::SharedRest(long().into()),
    ];
    for message in messages {
        through_serde();
        let frame = to_vec(&message).unwrap();
        assert_eq!(Bytes::decode(&frame).unwrap(), message);
        assert_eq!(through_serde(), 0, "{message:?}");
    }
    let signed = Bytes::Signed(vec![-1, 0, 1], vec![i8::MIN, i8::MAX], -2);
    assert_eq!(to_vec(&signed).unwrap(), [6, 3, 255, 0, 1, 2, 128, 127, 254]);
    assert_eq!(Bytes::decode(&to_vec(&signed).unwrap()).unwrap(), signed);
}

/// The bytes on the wire are the same, however a type is recognised.
#[test]
fn the_bytes_are_those_of_serde() {
    fn same<M: Message + Debug>(message: &M, plain: &impl Serialize) {
        let mut expected = to_vec(message).unwrap();
        let tag = expected.remove(0);
        let mut out = Vec::new();
        Bincode::encode(plain, &mut out).unwrap();
        assert_eq!(expected, out, "{tag}: {message:?}");
    }
    let long = || vec![7u8; 5000];
    same(&Bytes::Alias(long(), Some(vec![1])), &(long(), Some(vec![1u8])));
    same(&Bytes::Boxed(long().into(), vec![1].into()), &(long(), vec![1u8]));
    same(&Bytes::Shared(long().into(), vec![1].into()), &(long(), vec![1u8]));
    same(&Bytes::Several(vec![long(); 6], vec![]), &(vec![long(); 6], Vec::<Vec<u8>>::new()));
    let tuple = Bytes::Tuple((long(), 9), (vec![], Some((&[1, 2], vec![3]))));
    same(&tuple, &((long(), 9u8), (Vec::<u8>::new(), Some((vec![1u8, 2], vec![3u8])))));
    let maps = Bytes::Maps([(1, long()), (300, vec![])].into(), [("a".to_owned(), long())].into());
    let plain: (BTreeMap<u32, Vec<u8>>, BTreeMap<String, Vec<u8>>) =
        ([(1, long()), (300, vec![])].into(), [("a".to_owned(), long())].into());
    same(&maps, &plain);
    same(&Bytes::Signed(vec![-1, 5], vec![-128], -3), &(vec![-1i8, 5], vec![-128i8], -3i8));
    let halves = |byte: u8| ([byte; 32], [byte; 32]);
    same(
        &Bytes::Keys([1; 64], Some([2; 64]), vec![[3; 64]], vec![], [[5; 40], [6; 40]]),
        &(
            halves(1),
            Some(halves(2)),
            vec![halves(3)],
            Vec::<u8>::new(),
            [[5u8; 20]; 2],
            [[6u8; 20]; 2],
        ),
    );
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Copy)]
struct Point(u16, bool);

#[derive(Message, Debug, PartialEq)]
enum Arrays<T, const N: usize> {
    #[message(tag = 1)]
    Words([u16; 100]),
    #[message(tag = 2)]
    Generic([T; N]),
    #[message(tag = 3)]
    Points([Point; 40], Option<[u16; 50]>, Vec<[u32; 33]>),
    #[message(tag = 4)]
    Nested([[T; 2]; N], [Option<Point>; 33]),
    #[message(tag = 5)]
    Texts([String; 34]),
    #[message(tag = 6)]
    Empty([T; 0], [(); 5]),
}

#[test]
fn arrays_of_any_length_are_their_elements() {
    let words: Vec<u8> = [1].into_iter().chain([251, 44, 1].repeat(100)).collect();
    is_sent_as(Arrays::<u8, 0>::Words([300; 100]), &words);
    is_sent_as(Arrays::Generic([1u8, 2, 3]), &[2, 1, 2, 3]);
    is_sent_as(Arrays::Generic(["a".to_owned()]), &[2, 1, b'a']);
    is_sent_as(Arrays::Generic([(); 0]), &[2]);
    let points = [Point(1, true); 40];
    let message = Arrays::<u8, 0>::Points(points, Some([2; 50]), vec![[3; 33]; 2]);
    let frame = [&[3][..], &[1, 1].repeat(40), &[1], &[2; 50], &[2], &[3; 66]].concat();
    is_sent_as(message, &frame);
    let nested = Arrays::Nested([[1u8, 2], [3, 4]], [None; 33]);
    is_sent_as(nested, &[&[4, 1, 2, 3, 4][..], &[0; 33]].concat());
    let texts = Arrays::<u8, 0>::Texts(std::array::from_fn(|_| "a".to_owned()));
    is_sent_as(texts, &[&[5][..], &[1, b'a'].repeat(34)].concat());
    is_sent_as(Arrays::<u8, 0>::Empty([], [(); 5]), &[6]);
    let error = Arrays::<u8, 3>::decode(&[2, 1, 2]).unwrap_err().to_string();
    assert!(
        error.starts_with("field `Generic.0`, at byte 3 of a frame of 3: at least 1"),
        "{error}"
    );
}

/// Claimed lengths that exceed the frame take no memory.
#[test]
fn claims_are_checked_before_they_cost_anything() {
    for tag in [1, 2, 4] {
        for len in [&[253, 255, 255, 255, 255, 255, 255, 255, 255][..], &[252, 255, 255, 255, 127]]
        {
            let error = Bytes::decode(&[&[tag], len].concat()).unwrap_err();
            assert!(
                matches!(error, DecodeError::Field { fault: Fault::Short { .. }, .. }),
                "{error}"
            );
        }
    }
}

/// The fields of the user's own types go through serde, with the same bytes on the wire.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Others {
    map: BTreeMap<String, Content>,
    point: Point,
}

#[test]
fn other_types_are_those_of_serde() {
    let others = Others { map: [("a".to_owned(), vec![1, 2])].into(), point: Point(300, true) };
    is_sent_as(others, &[1, 1, 1, b'a', 2, 1, 2, 251, 44, 1, 1]);
}
