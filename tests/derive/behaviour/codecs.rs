//! `codec`: the same message types with another codec.

use datagrammar::codec::{self, Bincode, Codec};
use datagrammar::{DecodeError, EncodeError, Fault, Message, Unknown, to_vec};
use serde::Serialize;
use serde::de::DeserializeSeed;

use crate::is_sent_as;

#[derive(Message, Debug, PartialEq)]
#[message(codec = codec::Postcard)]
enum Request<'a> {
    #[message(tag = 1)]
    Ping,
    #[message(tag = 300)]
    Put {
        count: u16,
        name: &'a str,
        bytes: &'a [u8],
        optional: Option<Vec<u8>>,
        key: [u8; 2],
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(other)]
    Unknown(Unknown<'a>),
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 200, codec = "codec::Postcard")]
struct Beat(u64);

#[test]
fn a_codec_writes_the_tag_and_every_length() {
    is_sent_as(Request::Ping, &[1]);
    let put = Request::Put {
        count: 300,
        name: "a",
        bytes: &[7; 3],
        optional: Some(vec![8]),
        key: [1, 2],
        content: b"bc",
    };
    let frame = [0xac, 2, 0xac, 2, 1, b'a', 3, 7, 7, 7, 1, 1, 8, 1, 2, b'b', b'c'];
    is_sent_as(put, &frame);
    is_sent_as(Request::Unknown(Unknown::new(301, &[1][..])), &[0xad, 2, 1]);
    is_sent_as(Beat(128), &[0xc8, 1, 0x80, 1]);
}

#[test]
fn a_codec_refuses_as_the_default_one_does() {
    assert!(matches!(Beat::decode(&[]), Err(DecodeError::Empty)));
    assert!(matches!(Beat::decode(&[1]), Err(DecodeError::UnknownTag(1))));
    assert!(matches!(Beat::decode(&[0xc8]), Err(DecodeError::Tag { .. })));
    assert!(matches!(Beat::decode(&[0xc8, 1]), Err(DecodeError::Field { field: "Beat.0", .. })));
    let trailing = Beat::decode(&[0xc8, 1, 5, 0]);
    assert!(matches!(trailing, Err(DecodeError::TrailingBytes { consumed: 3, len: 4 })));
}

/// Bincode with tags as fixed big-endian numbers, which break the rules for codecs.
enum BigEndian {}

impl Codec for BigEndian {
    fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        Bincode::encode(value, out)
    }

    fn encode_u32(value: u32, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        out.extend(value.to_be_bytes());
        Ok(())
    }

    fn decode<'f, S: DeserializeSeed<'f>>(
        seed: S,
        input: &'f [u8],
    ) -> Result<(S::Value, usize), Fault> {
        Bincode::decode(seed, input)
    }
}

#[test]
fn a_codec_that_writes_the_runtimes_first_byte_cannot_send() {
    #[derive(Message)]
    #[message(tag = 1, codec = BigEndian)]
    struct Beat(u64);

    assert!(matches!(to_vec(&Beat(5)), Err(EncodeError::ReservedTag)));
}
