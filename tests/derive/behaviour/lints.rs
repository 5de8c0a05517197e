//! Lints that a crate may forbid: derived code allows only those that it must.
#![forbid(
    deprecated,
    unused_imports,
    unused_qualifications,
    dead_code,
    non_camel_case_types,
    missing_docs,
    unreachable_code
)]

use datagrammar::{Message, Unknown};

use crate::is_sent_as;

#[derive(Message, Debug, PartialEq)]
enum Request<'a> {
    #[message(tag = 1)]
    Ping,
    #[message(tag = 2)]
    Put(&'a str, Vec<Vec<u8>>, #[message(nested)] Option<Box<Self>>),
    #[message(other)]
    Other(Unknown<'a>),
}

#[derive(Message, Debug, Clone, Copy, PartialEq)]
enum Units {
    #[message(tag = 1)]
    One,
    #[message(other)]
    Other,
}

#[test]
fn nothing_is_allowed_that_is_forbidden() {
    is_sent_as(Request::Ping, &[1]);
    is_sent_as(Request::Put("a", vec![vec![1]], None), &[2, 1, b'a', 1, 1, 1, 0]);
    is_sent_as(Request::Other(Unknown::new(9, vec![1])), &[9, 1]);
    is_sent_as(Units::One, &[1]);
    assert_eq!(Units::decode(&[2]).unwrap(), Units::Other);
}
