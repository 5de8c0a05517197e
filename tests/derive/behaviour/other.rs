//! `other`: messages with tags that no variant has.

use datagrammar::{DecodeError, EncodeError, Message, Unknown, to_vec};

use crate::is_sent_as;

#[derive(Message, Debug, PartialEq)]
enum Lent<'a> {
    #[message(tag = 1)]
    Ping,
    #[message(other)]
    Newer(Unknown<'a>),
    #[message(tag = 2)]
    Text(&'a str),
}

#[derive(Message, Debug, PartialEq)]
#[message(reserved(3))]
enum Owned {
    #[message(tag = 1)]
    Ping,
    #[message(other)]
    Newer(Unknown<'static>),
}

/// An owned `other` beside a field that borrows.
#[derive(Message, Debug, PartialEq)]
enum Mixed<'a> {
    #[message(tag = 1)]
    Text(&'a str),
    #[message(other)]
    Newer(Unknown<'static>),
}

#[derive(Message, Debug, PartialEq)]
enum OnlyOther<'a> {
    #[message(other)]
    Any(Unknown<'a>),
}

#[test]
fn unknown_messages_come_as_data_and_go_as_they_came() {
    is_sent_as(Lent::Newer(Unknown::new(9, &[1, 2][..])), &[9, 1, 2]);
    is_sent_as(Lent::Newer(Unknown::new(300, &[][..])), &[251, 44, 1]);
    is_sent_as(Lent::Ping, &[1]);
    is_sent_as(Lent::Text("a"), &[2, 1, b'a']);
    is_sent_as(Owned::Ping, &[1]);
    is_sent_as(Owned::Newer(Unknown::new(9, vec![1, 2])), &[9, 1, 2]);
    is_sent_as(Owned::Newer(Unknown::new(3, vec![])), &[3]);
    is_sent_as(Mixed::Text("a"), &[1, 1, b'a']);
    is_sent_as(Mixed::Newer(Unknown::new(9, vec![1])), &[9, 1]);
    is_sent_as(OnlyOther::Any(Unknown::new(1, &[7][..])), &[1, 7]);
}

#[test]
fn an_owned_other_outlives_the_frame() {
    let owned = {
        let frame = vec![9, 1];
        Owned::decode(&frame).unwrap()
    };
    assert_eq!(owned, Owned::Newer(Unknown::new(9, vec![1])));
}

#[test]
fn an_unknown_message_has_the_tag_that_it_came_with() {
    let message = Lent::decode(&[9, 1, 2]).unwrap();
    assert_eq!((message.tag(), message.name()), (9, "Newer"));
}

#[test]
fn tag_0_is_no_message() {
    assert!(matches!(Lent::decode(&[0, 1]), Err(DecodeError::UnknownTag(0))));
    assert!(matches!(Owned::decode(&[0]), Err(DecodeError::UnknownTag(0))));
    let reserved = to_vec(&Owned::Newer(Unknown::new(0, vec![])));
    assert!(matches!(reserved, Err(EncodeError::ReservedTag)));
}
