//! Frames that are not a message: unknown tags, and bytes that are missing, wrong or left over.

use datagrammar::{DecodeError, Fault, Message, to_vec};
use serde::{Serialize, Serializer};

#[derive(Message, Debug, PartialEq)]
enum Request<'a> {
    #[message(tag = 1)]
    Ping,
    #[message(tag = 2)]
    Put { name: &'a str, mode: Option<u16>, key: [u8; 4], content: Vec<u8> },
    #[message(tag = 300)]
    Flags(bool, bool),
}

const PUT: &[u8] = &[2, 1, b'a', 1, 251, 44, 1, 1, 2, 3, 4, 2, 5, 6];

#[test]
fn a_tag_that_no_variant_has() {
    assert!(matches!(Request::decode(&[3]), Err(DecodeError::UnknownTag(3))));
    assert!(matches!(Request::decode(&[0]), Err(DecodeError::UnknownTag(0))));
    assert!(matches!(Request::decode(&[251, 45, 1]), Err(DecodeError::UnknownTag(301))));
}

#[test]
fn no_whole_tag() {
    assert!(matches!(Request::decode(&[]), Err(DecodeError::Empty)));
    for frame in [&[251][..], &[251, 44], &[252, 1, 0, 0]] {
        let error = Request::decode(frame).unwrap_err();
        assert!(matches!(error, DecodeError::Tag { fault: Fault::Short { .. }, .. }), "{error}");
    }
}

#[test]
fn bytes_after_the_message() {
    let error = Request::decode(&[1, 0]).unwrap_err();
    assert!(matches!(error, DecodeError::TrailingBytes { consumed: 1, len: 2 }), "{error}");
    let error = Request::decode(&[PUT, &[0]].concat()).unwrap_err();
    assert!(matches!(error, DecodeError::TrailingBytes { consumed: 14, len: 15 }), "{error}");
}

#[test]
fn bytes_that_are_missing_are_those_of_a_field() {
    assert!(Request::decode(PUT).is_ok());
    let field_at = |len| match len {
        1..3 => "Put.name",
        3..7 => "Put.mode",
        7..11 => "Put.key",
        _ => "Put.content",
    };
    for len in 1..PUT.len() {
        match Request::decode(&PUT[..len]) {
            Err(DecodeError::Field { field, len: told, fault: Fault::Short { .. }, .. }) => {
                assert_eq!((field, told), (field_at(len), len));
            }
            other => panic!("{len}: {other:?}"),
        }
    }
}

#[test]
fn fields_of_tuples_are_named_by_number() {
    let error = Request::decode(&[251, 44, 1, 1, 2]).unwrap_err();
    let DecodeError::Field { field, offset, .. } = error else { panic!("{error}") };
    assert_eq!((field, offset), ("Flags.1", 4));
}

struct Refused;

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

impl<'de> serde::Deserialize<'de> for Refused {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("not today"))
    }
}

#[derive(Message)]
#[message(tag = 1)]
struct Refusing {
    value: Refused,
}

#[test]
fn what_serde_refuses_names_its_field() {
    let error = to_vec(&Refusing { value: Refused }).unwrap_err().to_string();
    // The codec words the reason.
    assert!(
        error.starts_with("field `Refusing.value` cannot be encoded: ")
            && error.contains("not today"),
        "{error}"
    );
    let Err(error) = Refusing::decode(&[1]) else { panic!() };
    assert_eq!(error.to_string(), "field `Refusing.value`, at byte 1 of a frame of 1: not today");
}
