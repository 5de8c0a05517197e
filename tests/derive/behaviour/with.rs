//! `with`: fields that the functions of a module encode.

use std::fmt::Debug;
use std::time::Duration;

use datagrammar::Message;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::is_sent_as;

/// A duration as seconds.
mod seconds {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        value.as_secs().serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}

/// Any value, between two bytes of our own.
mod framed {
    use super::*;

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        (0xaau8, value, 0xbbu8).serialize(to)
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        match Deserialize::deserialize(from)? {
            (0xaau8, value, 0xbbu8) => Ok(value),
            _ => Err(serde::de::Error::custom("not between our bytes")),
        }
    }
}

/// Associated functions of a type.
struct Upper;

impl Upper {
    fn serialize<S: Serializer>(value: &str, to: S) -> Result<S::Ok, S::Error> {
        value.to_uppercase().serialize(to)
    }

    fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        String::deserialize(from).map(|text| text.to_lowercase())
    }
}

/// Associated functions of a type with arguments.
struct Plus<T, const N: u8>(std::marker::PhantomData<T>);

impl<const N: u8> Plus<u8, N> {
    fn serialize<S: Serializer>(value: &u8, to: S) -> Result<S::Ok, S::Error> {
        (value + N).serialize(to)
    }

    fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
        u8::deserialize(from).map(|value| value - N)
    }
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Added(
    #[message(with = Plus<u8, 1>)] u8,
    #[message(with = Plus::<u8, 2>)] u8,
    #[message(with = "Plus<u8, 3>")] u8,
);

#[test]
fn a_type_may_have_arguments() {
    is_sent_as(Added(1, 2, 3), &[1, 2, 4, 6]);
}

#[derive(Message, Debug, PartialEq)]
enum Request<'a> {
    #[message(tag = 1)]
    Wait(#[message(with = seconds)] Duration),
    #[message(tag = 2)]
    Quoted {
        #[message(with = "seconds")]
        first: Duration,
        #[message(with = self::seconds)]
        second: Duration,
        #[message(with = "crate::with::seconds", default)]
        third: Duration,
    },
    #[message(tag = 3)]
    Lent(#[message(with = framed)] &'a str, #[message(with = framed)] Option<&'a [u8]>),
    #[message(tag = 4)]
    Associated(#[message(with = Upper)] String, u8),
    #[message(tag = 5)]
    Bytes(#[message(with = framed)] Vec<u8>),
}

#[test]
fn the_module_writes_the_field() {
    let seconds = Duration::from_secs;
    is_sent_as(Request::Wait(seconds(7)), &[1, 7]);
    let quoted = Request::Quoted { first: seconds(1), second: seconds(2), third: seconds(3) };
    is_sent_as(quoted, &[2, 1, 2, 3]);
    let older = Request::Quoted { first: seconds(1), second: seconds(2), third: seconds(0) };
    assert_eq!(Request::decode(&[2, 1, 2]).unwrap(), older);
    let lent = Request::Lent("a", Some(b"b"));
    is_sent_as(lent, &[3, 0xaa, 1, b'a', 0xbb, 0xaa, 1, 1, b'b', 0xbb]);
    is_sent_as(Request::Associated("a".to_owned(), 9), &[4, 1, b'A', 9]);
    is_sent_as(Request::Bytes(vec![1]), &[5, 0xaa, 1, 1, 0xbb]);
}

#[test]
fn the_modules_refusal_names_the_field() {
    let error = Request::decode(&[5, 0xaa, 1, 1, 0]).unwrap_err().to_string();
    assert_eq!(error, "field `Bytes.0`, at byte 1 of a frame of 5: not between our bytes");
}

/// `with` in a type with several parameters: the wrapper needs their bounds.
#[derive(Message, Debug, PartialEq)]
enum Generic<'a, 'b: 'a, T, U: Debug, const N: usize>
where
    T: Serialize + for<'de> Deserialize<'de> + Debug,
    U: Serialize + for<'de> Deserialize<'de>,
{
    #[message(tag = 1)]
    One(#[message(with = framed)] T),
    #[message(tag = 2)]
    Several {
        #[message(with = framed)]
        lent: (&'a str, &'b str),
        #[message(with = framed)]
        values: Vec<T>,
        #[message(with = framed)]
        pair: (T, U),
        plain: U,
        key: [u8; N],
    },
}

#[test]
fn generics_and_lifetimes() {
    is_sent_as(Generic::<u8, u8, 1>::One(7), &[1, 0xaa, 7, 0xbb]);
    let several = Generic::Several {
        lent: ("a", "b"),
        values: vec![1u8],
        pair: (2, 3u8),
        plain: 4,
        key: [5],
    };
    is_sent_as(
        several,
        &[2, 0xaa, 1, b'a', 1, b'b', 0xbb, 0xaa, 1, 1, 0xbb, 0xaa, 2, 3, 0xbb, 4, 5],
    );
}

trait Unit {
    type Value: Serialize + for<'de> Deserialize<'de> + Debug + PartialEq;
}

/// Field types that name the message type itself.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Selfish<'a, T> {
    #[message(with = framed)]
    value: <Self as Unit>::Value,
    #[message(with = framed)]
    list: Vec<<Self as Unit>::Value>,
    text: &'a str,
    other: T,
}

impl<T> Unit for Selfish<'_, T> {
    type Value = u16;
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Counted {
    #[message(with = framed)]
    array: [u16; Self::LEN],
}

impl Counted {
    const LEN: usize = 2;
}

#[test]
fn the_message_type_as_self() {
    let selfish = Selfish { value: 1, list: vec![2], text: "a", other: 3u8 };
    is_sent_as(selfish, &[1, 0xaa, 1, 0xbb, 0xaa, 1, 2, 0xbb, 1, b'a', 3]);
    is_sent_as(Counted { array: [1, 2] }, &[1, 0xaa, 1, 2, 0xbb]);
}

/// Types without any serde implementation, and a static text that the module makes.
mod kind {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &&'static str, to: S) -> Result<S::Ok, S::Error> {
        (value.len() as u8).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<&'static str, D::Error> {
        u8::deserialize(from).map(|len| if len == 4 { "four" } else { "other" })
    }
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Static(#[message(with = kind)] &'static str);

#[test]
fn a_static_text_may_come_from_the_module() {
    is_sent_as(Static("four"), &[1, 4]);
}
