//! Messages in messages: each is its own frame, after its length.
#![allow(clippy::use_self, reason = "a type may hold itself by its name")]

use std::borrow::Cow;
use std::fmt::Debug;

use datagrammar::codec::MAX_DEPTH;
use datagrammar::{Connection, DecodeError, EncodeError, Fault, Message, Unknown, to_vec};

use crate::is_sent_as;

#[derive(Message, Debug, PartialEq, Clone)]
enum Shape<'a> {
    #[message(tag = 9)]
    Empty,
    #[message(tag = 300)]
    Named {
        name: &'a str,
        #[message(default)]
        corners: u32,
    },
    #[message(tag = 4, extensible)]
    Grown(u8),
    #[message(tag = 5)]
    Raw(#[message(rest)] Cow<'a, [u8]>),
    #[message(other)]
    Newer(Unknown<'a>),
}

impl Default for Shape<'_> {
    fn default() -> Self {
        Self::Grown(77)
    }
}

#[derive(Message, Debug, PartialEq)]
enum Drawing<'a> {
    #[message(tag = 1)]
    One {
        before: u8,
        #[message(nested)]
        shape: Shape<'a>,
        after: u8,
    },
    #[message(tag = 2)]
    Maybe(#[message(nested)] Option<Shape<'a>>),
    #[message(tag = 3)]
    Many(#[message(nested)] Vec<Shape<'a>>, u8),
    #[message(tag = 4)]
    Boxed(#[message(nested)] Box<Shape<'a>>, #[message(nested)] Option<Box<Shape<'a>>>),
    #[message(tag = 5)]
    Rest(u8, #[message(nested, rest)] Shape<'a>),
    #[message(tag = 6)]
    Filled(u8, #[message(nested, default)] Shape<'a>, #[message(nested, default)] Vec<Shape<'a>>),
    #[message(tag = 7)]
    Mixed(#[message(nested)] Vec<Option<Box<Shape<'a>>>>),
    #[message(tag = 8)]
    BoxedRest(#[message(nested, rest)] Box<Shape<'a>>),
}

#[test]
fn a_message_is_its_length_and_its_frame() {
    let named = |corners| Shape::Named { name: "a", corners };
    let one = Drawing::One { before: 1, shape: named(4), after: 2 };
    is_sent_as(one, &[1, 1, 6, 251, 44, 1, 1, b'a', 4, 2]);
    is_sent_as(Drawing::One { before: 1, shape: Shape::Empty, after: 2 }, &[1, 1, 1, 9, 2]);
    is_sent_as(Drawing::Maybe(None), &[2, 0]);
    is_sent_as(Drawing::Maybe(Some(Shape::Empty)), &[2, 1, 1, 9]);
    is_sent_as(Drawing::Many(vec![], 7), &[3, 0, 7]);
    let many = Drawing::Many(vec![Shape::Empty, named(1), Shape::Grown(3)], 7);
    is_sent_as(many, &[3, 3, 1, 9, 6, 251, 44, 1, 1, b'a', 1, 2, 4, 3, 7]);
    let boxed = Drawing::Boxed(Box::new(Shape::Empty), Some(Box::new(Shape::Grown(1))));
    is_sent_as(boxed, &[4, 1, 9, 1, 2, 4, 1]);
    let mixed = Drawing::Mixed(vec![None, Some(Box::new(Shape::Empty))]);
    is_sent_as(mixed, &[7, 2, 0, 1, 1, 9]);
}

#[test]
fn the_rest_is_a_frame_without_a_length() {
    is_sent_as(Drawing::Rest(1, Shape::Empty), &[5, 1, 9]);
    is_sent_as(Drawing::BoxedRest(Box::new(Shape::Grown(3))), &[8, 4, 3]);
    is_sent_as(Drawing::Rest(1, Shape::Raw(b"ab".into())), &[5, 1, 5, b'a', b'b']);
    assert!(Drawing::decode(&[5, 1]).is_err());
}

#[test]
fn attributes_keep_their_meaning_inside() {
    // The shape of an older sender has no corners. That of a newer sender has a field after its number.
    let shape = Shape::Named { name: "a", corners: 0 };
    let one = Drawing::One { before: 1, shape, after: 2 };
    assert_eq!(Drawing::decode(&[1, 1, 5, 251, 44, 1, 1, b'a', 2]).unwrap(), one);
    let many = Drawing::Many(vec![Shape::Grown(3), Shape::Empty], 7);
    assert_eq!(Drawing::decode(&[3, 2, 4, 4, 3, 99, 98, 1, 9, 7]).unwrap(), many);
    // A message with an unknown tag is data, and is forwarded unchanged.
    let newer = Shape::Newer(Unknown::new(77, &[1, 2][..]));
    is_sent_as(Drawing::One { before: 1, shape: newer, after: 2 }, &[1, 1, 3, 77, 1, 2, 2]);
    is_sent_as(
        Drawing::Many(vec![Shape::Raw(b"xy".into()); 2], 1),
        b"\x03\x02\x03\x05xy\x03\x05xy\x01",
    );
    // Fields that an older sender of the outer message does not send.
    assert_eq!(Drawing::decode(&[6, 1]).unwrap(), Drawing::Filled(1, Shape::Grown(77), vec![]));
}

#[test]
fn a_message_inside_takes_all_of_its_frame() {
    let error = Drawing::decode(&[1, 1, 2, 9, 0, 2]).unwrap_err();
    let DecodeError::Nested { field: "One.shape", offset: 3, len: 6, error } = error else {
        panic!("{error}")
    };
    assert!(matches!(*error, DecodeError::TrailingBytes { consumed: 1, len: 2 }), "{error}");
    for (frame, text) in [
        (&[1, 1, 0, 2][..], "in field `One.shape`, at byte 3 of a frame of 4: the frame is empty"),
        (&[1, 1, 1, 0, 2], "in field `One.shape`, at byte 3 of a frame of 5: tag 0 is"),
        (&[1, 1, 9, 9], "field `One.shape`, at byte 2 of a frame of 4: at least 8 more bytes"),
        (&[3, 200, 1, 9], "field `Many.0`, at byte 1 of a frame of 4: at least 198 more bytes"),
        (
            &[3, 2, 1, 9, 4, 251, 44, 1, 7],
            "in field `Many.0`, at byte 5 of a frame of 9: field `Named.name`, at byte 3 of a frame of 4",
        ),
    ] {
        let error = Drawing::decode(frame).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
}

#[test]
fn what_is_borrowed_is_lent_by_the_outer_frame() {
    let frame = [1, 1, 5, 251, 44, 1, 1, b'a', 2];
    let Ok(Drawing::One { shape: Shape::Named { name, .. }, .. }) = Drawing::decode(&frame) else {
        panic!()
    };
    assert!(frame.as_ptr_range().contains(&name.as_ptr()));
    let raw = [5, 1, 5, 1, 2];
    let Ok(Drawing::Rest(_, Shape::Raw(Cow::Borrowed(bytes)))) = Drawing::decode(&raw) else {
        panic!()
    };
    assert!(raw.as_ptr_range().contains(&bytes.as_ptr()));
}

#[derive(Message, Debug, PartialEq)]
enum Store<'a> {
    #[message(tag = 1)]
    Put {
        key: &'a [u8],
        first: Vec<u8>,
        second: &'a [u8],
        #[message(rest)]
        last: &'a [u8],
    },
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Stores<'a> {
    before: &'a [u8],
    #[message(nested)]
    stores: Vec<Store<'a>>,
    #[message(nested)]
    one: Store<'a>,
    after: &'a [u8],
    #[message(rest)]
    rest: &'a [u8],
}

/// Byte fields just below and just above the length from which they are not copied.
#[test]
fn large_fields_inside_are_where_they_belong() {
    let bytes: Vec<u8> = (0..50_000u32).map(|byte| (byte % 251) as u8).collect();
    for len in [0, 1, 200, 251, 32_767, 32_768, 40_000] {
        let slice = |from: usize| &bytes[from..from + len];
        let put = |from: usize| Store::Put {
            key: slice(from),
            first: slice(from + 1).to_vec(),
            second: slice(from + 2),
            last: slice(from + 3),
        };
        for several in [vec![], vec![put(3)], vec![put(5), put(9), put(11)]] {
            let (before, after, rest) = (slice(1), slice(2), slice(4));
            let message = Stores { before, stores: several, one: put(7), after, rest };
            let frame = to_vec(&message).unwrap();
            assert_eq!(Stores::decode(&frame).unwrap(), message, "{len}");
            let (mut left, mut right) =
                Connection::<Stores<'static>, Stores<'static>>::pair().unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| left.send(&message).unwrap());
                let received = right.recv().unwrap().unwrap();
                assert_eq!(received.bytes(), frame);
            });
        }
    }
}

/// An id around any protocol.
#[derive(Message, Debug, PartialEq, Clone)]
#[message(tag = 1)]
struct Envelope<M> {
    id: u64,
    #[message(nested, rest)]
    body: M,
}

#[derive(Message, Debug, PartialEq)]
enum Bounded<'a, M: Message + Debug + PartialEq, T>
where
    M: Debug,
{
    #[message(tag = 1)]
    Both(&'a str, #[message(nested)] Vec<M>, T),
    #[message(tag = 2)]
    Inside(#[message(nested)] Envelope<M>),
}

/// A message with `'static` owns its values.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Owned<M: 'static, N>(#[message(nested)] M, #[message(nested)] N)
where
    N: Debug + 'static;

/// A generic message that is not itself a parameter.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Listed<T> {
    list: Vec<T>,
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 2)]
struct Lists<T>(#[message(nested)] Vec<Listed<T>>, #[message(nested)] Listed<u8>);

trait Protocol {
    type Body;
}

#[derive(Debug, PartialEq)]
struct Local;

impl Protocol for Local {
    type Body = Listed<u16>;
}

#[derive(Message, Debug)]
#[message(tag = 3)]
struct Associated<P: Protocol>(#[message(nested)] P::Body);

/// A parameter with the name of a type in a module.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 4)]
struct Homonyms<M> {
    #[message(nested)]
    parameter: M,
    other: homonym::M,
}

mod homonym {
    #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
    pub(super) struct M(pub(super) u8);
}

#[test]
fn generic_messages_hold_messages() {
    let body = Shape::Named { name: "a", corners: 4 };
    is_sent_as(Envelope { id: 7, body }, &[1, 7, 251, 44, 1, 1, b'a', 4]);
    let inner = Envelope { id: 8, body: Shape::Empty };
    is_sent_as(Envelope { id: 7, body: inner }, &[1, 7, 1, 8, 9]);
    is_sent_as(Bounded::Both("a", vec![Shape::Empty], 5u16), &[1, 1, b'a', 1, 1, 9, 5]);
    let inside: Bounded<'_, _, u8> = Bounded::Inside(Envelope { id: 1, body: Shape::Empty });
    is_sent_as(inside, &[2, 3, 1, 1, 9]);
    is_sent_as(Owned(Listed { list: vec![1u8] }, Tree::Leaf(2)), &[1, 3, 1, 1, 1, 2, 1, 2]);
    let lists = Lists(vec![Listed { list: vec![300u16] }], Listed { list: vec![1] });
    is_sent_as(lists, &[2, 1, 5, 1, 1, 251, 44, 1, 3, 1, 1, 1]);
    let homonyms = Homonyms { parameter: Shape::Empty, other: homonym::M(7) };
    is_sent_as(homonyms, &[4, 1, 9, 7]);
    let associated: Associated<Local> = Associated::decode(&[3, 3, 1, 1, 7]).unwrap();
    assert_eq!(associated.0, Listed { list: vec![7] });
}

#[test]
fn an_envelope_lends_what_is_in_it() {
    type Sent = Envelope<Shape<'static>>;
    let (mut left, mut right) = Connection::<Sent, Sent>::pair().unwrap();
    left.send(&Envelope { id: 7, body: Shape::Named { name: "lent", corners: 4 } }).unwrap();
    let Envelope { id, body } = right.recv().unwrap().unwrap().decode().unwrap();
    assert_eq!((id, body), (7, Shape::Named { name: "lent", corners: 4 }));
}

#[derive(Message, Debug, PartialEq)]
#[message(codec = datagrammar::codec::Postcard)]
enum Inner {
    #[message(tag = 300)]
    Count(u64),
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 300)]
struct Outer {
    count: u64,
    #[message(nested)]
    inner: Inner,
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1, codec = datagrammar::codec::Postcard)]
struct Long<'a>(#[message(nested)] Stores<'a>);

#[test]
fn a_message_inside_has_its_own_codec() {
    let outer = Outer { count: 300, inner: Inner::Count(300) };
    is_sent_as(outer, &[251, 44, 1, 251, 44, 1, 4, 0b1010_1100, 0b10, 0b1010_1100, 0b10]);
    let put = || Store::Put { key: &[1; 100], first: vec![], second: &[], last: &[] };
    let long = Long(Stores { before: &[], stores: vec![put()], one: put(), after: &[], rest: &[] });
    let frame = to_vec(&long).unwrap();
    // 213 as postcard writes it.
    assert_eq!(frame[..3], [1, 0b1101_0110, 1]);
    assert_eq!(frame.len(), 3 + 214);
}

// Evolution of nested messages

mod version_1 {
    use datagrammar::Message;

    #[derive(Message, Debug, PartialEq)]
    #[message(tag = 1, extensible)]
    pub(super) struct Point {
        pub(super) x: u8,
        pub(super) y: u8,
    }

    #[derive(Message, Debug, PartialEq)]
    #[message(tag = 1, extensible)]
    pub(super) struct Shape {
        #[message(nested)]
        pub(super) at: Point,
        pub(super) width: u8,
        pub(super) height: u8,
    }
}

mod version_2 {
    use datagrammar::Message;

    #[derive(Message, Debug, PartialEq)]
    #[message(tag = 1, extensible)]
    pub(super) struct Point {
        pub(super) x: u8,
        pub(super) y: u8,
        #[message(default)]
        pub(super) z: u8,
    }

    #[derive(Message, Debug, PartialEq)]
    #[message(tag = 1, extensible)]
    pub(super) struct Shape {
        #[message(nested)]
        pub(super) at: Point,
        pub(super) width: u8,
        #[message(default)]
        pub(super) height: u8,
    }
}

/// Through serde, the new `z` would be the old width, and the new width the old height.
#[test]
fn a_field_of_a_nested_type_shifts_nothing() {
    let old = version_1::Shape { at: version_1::Point { x: 1, y: 2 }, width: 3, height: 4 };
    let new = version_2::Shape { at: version_2::Point { x: 1, y: 2, z: 0 }, width: 3, height: 4 };
    let frame = to_vec(&old).unwrap();
    assert_eq!(frame, [1, 3, 1, 1, 2, 3, 4]);
    assert_eq!(version_2::Shape::decode(&frame).unwrap(), new);
    let newer = version_2::Shape { at: version_2::Point { x: 1, y: 2, z: 9 }, ..new };
    assert_eq!(version_1::Shape::decode(&to_vec(&newer).unwrap()).unwrap(), old);
}

// Recursion

#[derive(Message, Debug, PartialEq)]
enum Tree {
    #[message(tag = 1)]
    Leaf(u8),
    #[message(tag = 2)]
    Branch(#[message(nested)] Box<Self>),
    #[message(tag = 3)]
    Branches(#[message(nested)] Vec<Tree>),
    #[message(tag = 4)]
    Maybe(#[message(nested, rest)] Box<Tree>),
}

/// Two types that hold each other.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Statement {
    #[message(nested)]
    expression: Option<Box<Expression>>,
}

#[derive(Message, Debug, PartialEq)]
enum Expression {
    #[message(tag = 1)]
    Nothing,
    #[message(tag = 2)]
    Block(#[message(nested)] Vec<Statement>),
}

/// A list whose links have another name. Each type may hold the other.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Chain<'a> {
    name: &'a str,
    #[message(nested)]
    next: Option<Link<'a>>,
    #[message(nested)]
    ring: Option<Ring<'a>>,
}

type Link<'a> = Box<Chain<'a>>;

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Ring<'a>(#[message(nested)] Link<'a>);

#[test]
fn links_may_have_another_name() {
    let last = Chain { name: "b", next: None, ring: None };
    let inner = Chain { name: "c", next: None, ring: None };
    let chain = Chain { name: "a", next: Some(Box::new(last)), ring: Some(Ring(inner.into())) };
    let frame = [1, 1, b'a', 1, 5, 1, 1, b'b', 0, 0, 1, 7, 1, 5, 1, 1, b'c', 0, 0];
    is_sent_as(chain, &frame);
}

fn nested_in(levels: u32, branch: impl Fn(Tree) -> Tree) -> Tree {
    (0..levels).fold(Tree::Leaf(1), |tree, _| branch(tree))
}

#[test]
fn recursion_ends_at_the_depth_limit_on_both_sides() {
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    thread.spawn(recursion_ends_at_the_depth_limit).unwrap().join().unwrap();
}

fn recursion_ends_at_the_depth_limit() {
    for branch in [
        |tree| Tree::Branch(Box::new(tree)),
        |tree| Tree::Branches(vec![tree]),
        |tree| Tree::Maybe(Box::new(tree)),
    ] {
        let deepest = nested_in(MAX_DEPTH, branch);
        let frame = to_vec(&deepest).unwrap();
        assert_eq!(Tree::decode(&frame).unwrap(), deepest);

        let error = to_vec(&nested_in(MAX_DEPTH + 1, branch)).unwrap_err();
        let EncodeError::Field { reason, .. } = error else { panic!("{error}") };
        assert!(reason.starts_with("nested deeper than 128 levels"), "{reason}");
    }
    // The rest has no length, so each level is one byte.
    let hostile = [&vec![4; 100_000][..], &[1, 1]].concat();
    let error = Tree::decode(&hostile).unwrap_err();
    assert!(
        matches!(error, DecodeError::Field { fault: Fault::TooDeep { limit: 128 }, .. }),
        "{error:?}"
    );
    let list = Expression::Block(vec![Statement { expression: None }]);
    is_sent_as(list, &[2, 1, 2, 1, 0]);
}

/// A message that has nested fields, and is nested itself.
#[derive(Message, Debug, PartialEq)]
enum Both {
    #[message(tag = 1)]
    Message(#[message(nested)] Box<Self>),
    #[message(tag = 2)]
    Value(Option<Box<Node>>),
}

#[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
struct Node {
    next: Option<Box<Self>>,
}

fn both(messages: u32, nodes: u32) -> Both {
    let node = |next: Option<Box<Node>>, _| Some(Box::new(Node { next }));
    let value = Both::Value((0..nodes).fold(None, node));
    (0..messages).fold(value, |inner, _| Both::Message(Box::new(inner)))
}

#[test]
fn messages_and_the_values_in_them_share_one_limit() {
    let deepest = both(28, 100);
    assert_eq!(Both::decode(&to_vec(&deepest).unwrap()).unwrap(), deepest);
    for too_deep in [both(29, 100), both(28, 101), both(0, 129), both(129, 0)] {
        let error = to_vec(&too_deep).unwrap_err().to_string();
        assert!(error.contains("nested deeper than 128 levels"), "{error}");
    }
}

#[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq, Clone)]
struct Nothing;

#[derive(Message, Debug, PartialEq, Clone)]
#[message(tag = 1)]
struct Nothings(Vec<Nothing>);

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct ManyNothings(#[message(nested)] Vec<Nothings>, Vec<Nothing>);

/// Otherwise many messages, each with a length of a few bytes, would keep a receiver busy.
#[test]
fn elements_of_no_bytes_are_counted_across_all_messages() {
    let nothings = |count| Nothings(vec![Nothing; count]);
    let most = ManyNothings(vec![nothings(500), nothings(500)], vec![Nothing; 24]);
    let frame = to_vec(&most).unwrap();
    assert_eq!(ManyNothings::decode(&frame).unwrap(), most);
    let more = ManyNothings(vec![nothings(500), nothings(500)], vec![Nothing; 25]);
    let error = to_vec(&more).unwrap_err().to_string();
    assert!(error.contains("more than 1024 elements"), "{error}");
    let mut hostile = frame.clone();
    *hostile.last_mut().unwrap() = 25;
    let error = ManyNothings::decode(&hostile).unwrap_err().to_string();
    assert!(error.contains("more than 1024 elements"), "{error}");
    // The count starts again with the next message.
    assert_eq!(to_vec(&most).unwrap(), frame);
}

#[test]
fn a_box_of_a_message_is_a_message() {
    is_sent_as(Box::new(Shape::Grown(3)), &[4, 3]);
    assert_eq!((Box::new(Shape::Empty).tag(), Box::new(Shape::Empty).name()), (9, "Empty"));
}
