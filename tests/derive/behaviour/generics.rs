//! Generics: parameters with bounds and where-clauses, const parameters, and several lifetimes.

use std::borrow::Cow;
use std::fmt::Debug;
use std::marker::PhantomData;

use datagrammar::{Connection, Message};

use crate::is_sent_as;

#[derive(Message, Debug, PartialEq)]
enum Simple<T> {
    #[message(tag = 1)]
    One(T),
    #[message(tag = 2)]
    Many { values: Vec<T>, optional: Option<T> },
    #[message(tag = 3)]
    Nothing,
}

#[test]
fn a_parameter() {
    is_sent_as(Simple::One(300u16), &[1, 251, 44, 1]);
    is_sent_as(Simple::One("a".to_owned()), &[1, 1, b'a']);
    is_sent_as(Simple::Many { values: vec![1u8], optional: Some(2) }, &[2, 1, 1, 1, 2]);
    is_sent_as(Simple::<u8>::Nothing, &[3]);
}

#[derive(Message, Debug, PartialEq)]
enum Bounded<T: Debug + Clone, U = u8>
where
    T: PartialEq,
    U: Copy + Debug,
    Vec<U>: Debug,
{
    #[message(tag = 1)]
    Both(T, U),
    #[message(tag = 2)]
    Marker(PhantomData<(T, U)>),
}

/// A type parameter that occurs only in a marker, so serde does not handle it.
#[derive(Debug, Clone, PartialEq)]
struct Opaque;

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Marked<T: ?Sized> {
    id: u64,
    of: PhantomData<T>,
}

#[test]
fn bounds_and_where_clauses() {
    is_sent_as(Bounded::Both(1u8, 2u8), &[1, 1, 2]);
    is_sent_as(Bounded::<u8>::Marker(PhantomData), &[2]);
    is_sent_as(Marked::<Opaque> { id: 7, of: PhantomData }, &[1, 7]);
    is_sent_as(Marked::<str> { id: 7, of: PhantomData }, &[1, 7]);
}

trait Protocol {
    type Id;
    type Name;
}

#[derive(Debug, PartialEq)]
struct Local;

impl Protocol for Local {
    type Id = u16;
    type Name = String;
}

#[derive(Message, Debug, PartialEq)]
enum Associated<P: Protocol>
where
    P::Id: Debug,
    <P as Protocol>::Name: Debug + PartialEq,
{
    #[message(tag = 1)]
    Get(P::Id),
    #[message(tag = 2)]
    Rename { id: P::Id, name: <P as Protocol>::Name, names: Vec<<P as Protocol>::Name> },
}

#[test]
fn associated_types() {
    is_sent_as(Associated::<Local>::Get(1), &[1, 1]);
    let rename = Associated::<Local>::Rename { id: 1, name: "a".into(), names: vec![] };
    is_sent_as(rename, &[2, 1, 1, b'a', 0]);
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Block<const N: usize, const LAST: bool = false> {
    bytes: [u8; N],
    #[message(rest)]
    rest: Vec<u8>,
}

impl<const N: usize, const LAST: bool> Block<N, LAST> {
    const LEN: usize = 2;
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Measured {
    key: [u8; Self::LEN],
    computed: [u8; 1 + 1],
}

impl Measured {
    const LEN: usize = Block::<1>::LEN;
}

#[test]
fn const_parameters() {
    is_sent_as(Block::<3> { bytes: [1, 2, 3], rest: vec![4] }, &[1, 1, 2, 3, 4]);
    is_sent_as(Block::<0, true> { bytes: [], rest: vec![] }, &[1]);
    is_sent_as(Measured { key: [1, 2], computed: [3, 4] }, &[1, 1, 2, 3, 4]);
}

#[derive(Message, Debug, PartialEq)]
enum Lifetimes<'a, 'b: 'a, 'c>
where
    'c: 'b,
{
    #[message(tag = 1)]
    Three(&'a str, &'b [u8], Cow<'c, str>),
}

#[test]
fn several_lifetimes() {
    is_sent_as(Lifetimes::Three("a", b"b", "c".into()), &[1, 1, b'a', 1, b'b', 1, b'c']);
}

#[derive(Message, Debug, PartialEq)]
enum All<'a, 'b, T: Clone + 'b, U, const N: usize>
where
    U: Debug,
{
    #[message(tag = 1)]
    Put { name: &'a str, of: T, list: Vec<U>, key: [u8; N], content: Cow<'b, [u8]> },
    #[message(other)]
    Other(datagrammar::Unknown<'a>),
}

#[test]
fn everything_at_once() {
    let message: All<'_, '_, u8, bool, 2> =
        All::Put { name: "a", of: 1, list: vec![true], key: [8, 9], content: b"b"[..].into() };
    is_sent_as(message, &[1, 1, b'a', 1, 1, 1, 8, 9, 1, b'b']);
}

/// A generic message type in generic code.
fn echo<'f, T>(value: T) -> T
where
    Simple<T>: Message<Borrowed<'f> = Simple<T>>,
    T: 'static,
{
    drop(Connection::<Simple<T>, Simple<T>>::pair().unwrap());
    value
}

#[test]
fn generic_messages_name_protocols() {
    assert_eq!(echo(7u8), 7);
}

// Bounds

/// A number for a `T`, which needs no bounds on it.
#[derive(Debug)]
struct Id<T>(u32, PhantomData<T>);

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> serde::Serialize for Id<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T> serde::Deserialize<'de> for Id<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(deserializer).map(|id| Self(id, PhantomData))
    }
}

#[derive(Message, Debug, PartialEq)]
#[message(bound = "")]
enum Query<T> {
    #[message(tag = 1)]
    Get(Id<T>),
}

#[derive(Message, Debug, PartialEq)]
enum Both<T, U> {
    #[message(tag = 1)]
    Get(#[message(bound = "")] Id<T>, U),
    #[message(tag = 2)]
    All(#[message(bound = "U: serde::Serialize + serde::de::DeserializeOwned")] Vec<(Id<T>, U)>),
}

#[test]
fn bounds_are_those_that_are_written() {
    is_sent_as(Query::Get(Id::<Opaque>(7, PhantomData)), &[1, 7]);
    is_sent_as(Both::Get(Id::<Opaque>(7, PhantomData), 1u8), &[1, 7, 1]);
    is_sent_as(Both::All(vec![(Id::<Opaque>(7, PhantomData), 1u8)]), &[2, 1, 7, 1]);
}

// Types that borrow through a trait

trait Family: 'static {
    type Out<'a>: Debug + PartialEq;
}

#[derive(Debug, PartialEq)]
struct Texts;

impl Family for Texts {
    type Out<'a> = &'a str;
}

#[derive(Debug, PartialEq)]
struct Numbers;

impl Family for Numbers {
    type Out<'a> = (u8, u8);
}

#[derive(Message, Debug, PartialEq)]
enum Lending<'a, F: Family> {
    #[message(tag = 1)]
    One(F::Out<'a>),
    #[message(tag = 2)]
    Several(Vec<<F as Family>::Out<'a>>, &'a str),
}

#[test]
fn associated_types_lend() {
    is_sent_as(Lending::<Texts>::One("a"), &[1, 1, b'a']);
    is_sent_as(Lending::<Numbers>::One((1, 2)), &[1, 1, 2]);
    is_sent_as(Lending::<Texts>::Several(vec!["a"], "b"), &[2, 1, 1, b'a', 1, b'b']);
    let frame = [1, 1, b'a'];
    let Ok(Lending::<Texts>::One(text)) = Lending::decode(&frame) else { panic!() };
    assert!(frame.as_ptr_range().contains(&text.as_ptr()));
}

/// Both an argument and a message that holds the argument: the second needs what the first lends.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Twice<M: Message> {
    #[message(nested)]
    first: M,
    #[message(nested)]
    all: Vec<Wrapped<M>>,
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 2)]
struct Wrapped<M: Message>(#[message(nested)] M);

#[derive(Message, Debug, PartialEq)]
#[message(tag = 3)]
struct Text<'a>(&'a str);

#[test]
fn an_argument_and_what_holds_it() {
    let twice = Twice { first: Text("a"), all: vec![Wrapped(Text("b"))] };
    let frame = [1, 3, 3, 1, b'a', 1, 5, 2, 3, 3, 1, b'b'];
    assert_eq!(datagrammar::to_vec(&twice).unwrap(), frame);
    assert_eq!(Twice::<Text<'static>>::decode(&frame).unwrap(), twice);
}

/// Two generic types that hold each other.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1, bound = "T: serde::Serialize + serde::de::DeserializeOwned")]
struct Paragraph<T> {
    #[message(nested)]
    sentences: Vec<Sentence<T>>,
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1, bound = "T: serde::Serialize + serde::de::DeserializeOwned")]
struct Sentence<T> {
    value: T,
    #[message(nested)]
    quoted: Option<Box<Paragraph<T>>>,
}

#[test]
fn generic_messages_hold_each_other() {
    let inner = Paragraph { sentences: vec![Sentence { value: 2_u8, quoted: None }] };
    let outer = Paragraph { sentences: vec![Sentence { value: 1_u8, quoted: Some(inner.into()) }] };
    is_sent_as(outer, &[1, 1, 10, 1, 1, 1, 6, 1, 1, 3, 1, 2, 0]);
}
