//! `codec`: the same message types under another encoding.

use datagrammar::codec;
use datagrammar::{DecodeError, Message, Unknown};

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
