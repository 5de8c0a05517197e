//! `default` and `extensible`: frames of older and of newer senders.

use datagrammar::{DecodeError, Message};

use crate::is_sent_as;

#[derive(Message, Debug, PartialEq)]
enum Grown<'a> {
    #[message(tag = 1)]
    Named {
        old: u8,
        #[message(default)]
        second: u16,
        #[message(default)]
        third: Option<&'a str>,
        #[message(default)]
        fourth: Vec<u8>,
    },
    #[message(tag = 2)]
    AllNew(#[message(default)] u8, #[message(default)] [u8; 2]),
    #[message(tag = 3, extensible)]
    Both(u8, #[message(default)] u8),
    #[message(tag = 4, extensible)]
    Extensible { first: u8 },
    #[message(tag = 5, extensible)]
    Unit,
}

#[test]
fn a_frame_may_end_before_any_default_field() {
    let named = |second, third, fourth: &[u8]| Grown::Named {
        old: 9,
        second,
        third,
        fourth: fourth.to_vec(),
    };
    is_sent_as(named(300, Some("a"), &[1]), &[1, 9, 251, 44, 1, 1, 1, b'a', 1, 1]);
    assert_eq!(Grown::decode(&[1, 9, 251, 44, 1, 1, 1, b'a']).unwrap(), named(300, Some("a"), &[]));
    assert_eq!(Grown::decode(&[1, 9, 5]).unwrap(), named(5, None, &[]));
    assert_eq!(Grown::decode(&[1, 9]).unwrap(), named(0, None, &[]));
    assert_eq!(Grown::decode(&[2, 1]).unwrap(), Grown::AllNew(1, [0; 2]));
    assert_eq!(Grown::decode(&[2]).unwrap(), Grown::AllNew(0, [0; 2]));
}

#[test]
fn a_frame_may_not_end_within_a_field() {
    for frame in [&[1][..], &[1, 9, 251], &[1, 9, 251, 44], &[1, 9, 5, 1], &[2, 1, 2], &[4]] {
        let error = Grown::decode(frame).unwrap_err();
        assert!(matches!(error, DecodeError::Field { .. }), "{frame:?}: {error}");
    }
}

#[test]
fn a_frame_may_go_on_after_what_is_extensible() {
    is_sent_as(Grown::Extensible { first: 1 }, &[4, 1]);
    assert_eq!(Grown::decode(&[4, 1, 2, 3]).unwrap(), Grown::Extensible { first: 1 });
    assert_eq!(Grown::decode(&[3, 1]).unwrap(), Grown::Both(1, 0));
    assert_eq!(Grown::decode(&[3, 1, 2, 3]).unwrap(), Grown::Both(1, 2));
    assert_eq!(Grown::decode(&[5, 0]).unwrap(), Grown::Unit);
    let error = Grown::decode(&[2, 1, 2, 3, 4]).unwrap_err();
    assert!(matches!(error, DecodeError::TrailingBytes { consumed: 4, len: 5 }), "{error}");
}

#[derive(Message, Debug, PartialEq)]
#[message(extensible)]
enum Extensible {
    #[message(tag = 1)]
    Unit,
    #[message(tag = 2)]
    Tuple(u8),
    #[message(tag = 3)]
    Rest(#[message(rest)] Vec<u8>),
}

#[test]
fn an_enum_is_extensible_in_all_its_variants() {
    assert_eq!(Extensible::decode(&[1, 2, 3]).unwrap(), Extensible::Unit);
    assert_eq!(Extensible::decode(&[2, 3, 4]).unwrap(), Extensible::Tuple(3));
    assert_eq!(Extensible::decode(&[3, 3, 4]).unwrap(), Extensible::Rest(vec![3, 4]));
    assert!(Extensible::decode(&[2]).is_err());
}

/// A type whose default is not zero, in a `with` field and in a parameter.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Custom<T> {
    old: u8,
    #[message(default)]
    new: T,
    #[message(default)]
    list: Vec<T>,
    #[message(default)]
    optional: Option<T>,
}

#[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
struct Mode(u8);

impl Default for Mode {
    fn default() -> Self {
        Self(7)
    }
}

#[test]
fn defaults_are_those_of_the_type() {
    let filled = Custom { old: 1, new: Mode(7), list: vec![], optional: None };
    assert_eq!(Custom::<Mode>::decode(&[1, 1]).unwrap(), filled);
    let full = Custom { old: 1, new: Mode(2), list: vec![Mode(3)], optional: Some(Mode(4)) };
    is_sent_as(full, &[1, 1, 2, 1, 3, 1, 4]);
}
