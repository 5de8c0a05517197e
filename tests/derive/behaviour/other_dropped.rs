//! `other` without a field: messages with unknown tags are accepted and dropped, and cannot be sent.

use datagrammar::{
    Batch, Connection, DecodeError, EncodeError, Message, OwnedFrame, SendError, Unknown, Wait,
    to_vec,
};

use crate::is_sent_as;

#[derive(Message, Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
enum Colour {
    #[default]
    #[message(tag = 1)]
    Red,
    #[message(tag = 300)]
    Green,
    #[message(other)]
    Newer,
}

/// Every form of a variant without a field, with discriminants that are not the tag.
#[derive(Message, Debug, Clone, Copy, PartialEq)]
#[message(extensible, reserved(3))]
#[repr(u8)]
enum Braces {
    #[message(tag = 1)]
    Known {} = 7,
    #[message(other)]
    r#Other {} = 9,
}

#[derive(Message, Debug, Clone, Copy, PartialEq)]
enum Parentheses {
    #[message(other)]
    Any(),
}

/// A message that borrows, with a parameter.
#[derive(Message, Debug, PartialEq)]
enum Lent<'a, T> {
    #[message(tag = 1)]
    Text(&'a str, T),
    #[message(other)]
    Newer,
}

#[derive(Message, Debug, PartialEq, Default)]
#[message(tag = 1, extensible)]
struct Car {
    #[message(nested)]
    colour: Colour,
    doors: u8,
    #[message(nested, default)]
    trim: Option<Colour>,
    #[message(nested, default)]
    stripes: Vec<Colour>,
    #[message(nested, default)]
    boxed: Option<Box<Colour>>,
    #[message(nested, default)]
    seats: Colour,
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Last(u8, #[message(nested, rest)] Colour);

/// Checks that the message is refused for this reason, and only for this reason.
#[track_caller]
fn is_not_sent(message: &impl Message, variant: &str) {
    let error = to_vec(message).unwrap_err();
    assert!(matches!(error, EncodeError::UnknownTag(name) if name == variant), "{error:?}");
}

#[test]
fn known_tags_are_sent_as_without_it() {
    is_sent_as(Colour::Red, &[1]);
    is_sent_as(Colour::Green, &[251, 44, 1]);
    is_sent_as(Braces::Known {}, &[1]);
    is_sent_as(Lent::Text("a", 7_u8), &[1, 1, b'a', 7]);
    is_sent_as(Last(7, Colour::Green), &[1, 7, 251, 44, 1]);
}

#[test]
fn any_unknown_tag_is_accepted_with_any_payload() {
    let frames: [&[u8]; 6] = [
        &[2],
        &[2, 0],
        &[250, 255, 255, 255],
        &[251, 43, 1],
        &[252, 255, 255, 255, 255],
        &[252, 255, 255, 255, 255, 9, 9],
    ];
    for frame in frames {
        assert_eq!(Colour::decode(frame).unwrap(), Colour::Newer, "{frame:?}");
        assert_eq!(Braces::decode(frame).unwrap(), Braces::r#Other {}, "{frame:?}");
        assert_eq!(Parentheses::decode(frame).unwrap(), Parentheses::Any(), "{frame:?}");
        assert_eq!(Lent::<u8>::decode(frame).unwrap(), Lent::Newer, "{frame:?}");
    }
    // A retired tag of an older sender.
    assert_eq!(Braces::decode(&[3, 1]).unwrap(), Braces::r#Other {});
    assert_eq!(Parentheses::decode(&[1]).unwrap(), Parentheses::Any());
}

#[test]
fn other_mistakes_stay_mistakes() {
    assert!(matches!(Colour::decode(&[]), Err(DecodeError::Empty)));
    assert!(matches!(Colour::decode(&[0]), Err(DecodeError::UnknownTag(0))));
    assert!(matches!(Colour::decode(&[251, 0, 0]), Err(DecodeError::UnknownTag(0))));
    assert!(matches!(Colour::decode(&[251, 1]), Err(DecodeError::Tag { len: 2, .. })));
    let trailing = Colour::decode(&[1, 0]);
    assert!(matches!(trailing, Err(DecodeError::TrailingBytes { consumed: 1, len: 2 })));
    // `extensible` on the enum concerns its tagged variants.
    assert_eq!(Braces::decode(&[1, 0]).unwrap(), Braces::Known {});
}

#[test]
fn it_cannot_be_sent() {
    is_not_sent(&Colour::Newer, "Colour::Newer");
    is_not_sent(&Box::new(Colour::Newer), "Colour::Newer");
    is_not_sent(&Braces::r#Other {}, "Braces::Other");
    is_not_sent(&Parentheses::Any(), "Parentheses::Any");
    is_not_sent(&Lent::<u8>::Newer, "Lent::Newer");
    let text = to_vec(&Colour::Newer).unwrap_err().to_string();
    assert_eq!(
        text,
        "`Colour::Newer` stands for any unknown message, and keeps neither tag nor payload, so it cannot be sent: send another variant, or let this one hold a `datagrammar::Unknown`, which can be sent again",
    );
}

#[test]
fn it_cannot_be_sent_in_other_messages() {
    let newer = Colour::Newer;
    is_not_sent(&Car { colour: newer, ..Car::default() }, "Colour::Newer");
    is_not_sent(&Car { trim: Some(newer), ..Car::default() }, "Colour::Newer");
    is_not_sent(&Car { stripes: vec![Colour::Red, newer], ..Car::default() }, "Colour::Newer");
    is_not_sent(&Car { boxed: Some(Box::new(newer)), ..Car::default() }, "Colour::Newer");
    is_not_sent(&Car { seats: newer, ..Car::default() }, "Colour::Newer");
    is_not_sent(&Last(1, newer), "Colour::Newer");
}

/// No message has the tag 0, so the decoder must not accept it as an unknown message.
#[test]
fn its_tag_is_that_of_no_message() {
    assert_eq!((Colour::Newer.tag(), Colour::Newer.name()), (0, "Newer"));
    assert_eq!((Box::new(Colour::Newer).tag(), Box::new(Colour::Newer).name()), (0, "Newer"));
    assert_eq!((Braces::r#Other {}.tag(), Braces::r#Other {}.name()), (0, "Other"));
    // The frame still has its tag.
    let mut frame = OwnedFrame::<Colour>::from_parts(vec![9, 1], Vec::new());
    assert_eq!((Colour::tag_of(frame.bytes()).unwrap(), frame.tag().unwrap()), (9, 9));
    assert_eq!(frame.decode().unwrap().tag(), 0);
}

#[test]
fn only_its_own_frame_is_dropped_in_other_messages() {
    let sent: &[u8] = &[
        1, // the tag of the car
        3, 9, 1, 2, // a colour with a payload
        4, // doors
        1, 1, 9, // some trim
        3, 1, 1, 2, 9, 9, 3, 251, 44, 1, // three stripes
        1, 5, 252, 1, 1, 1, 1, // a boxed one
        2, 8, 8, // seats
        5, // a field of a newer sender
    ];
    let car = Car::decode(sent).unwrap();
    let (newer, boxed) = (Colour::Newer, Some(Box::new(Colour::Newer)));
    let stripes = vec![Colour::Red, newer, Colour::Green];
    let received = Car { colour: newer, doors: 4, trim: Some(newer), stripes, boxed, seats: newer };
    assert_eq!(car, received);
    assert_eq!(Last::decode(&[1, 7, 9, 1, 2, 3]).unwrap(), Last(7, newer));
    // Tag 0 is not a message, inside either.
    assert!(Last::decode(&[1, 7, 0, 1]).is_err());
}

/// Both forms of `other` are the same on the wire, so a later version can choose the other one.
#[test]
fn both_forms_accept_the_same_frames() {
    #[derive(Message, Debug)]
    enum Kept<'a> {
        #[message(tag = 1)]
        Red,
        #[message(tag = 300)]
        Green,
        #[message(other)]
        Newer(Unknown<'a>),
    }

    for first in 0..=255 {
        for rest in [&[][..], &[0], &[1, 2], &[44, 1], &[44, 1, 0], &[0, 0, 0, 0], &[1; 9]] {
            let frame = [&[first], rest].concat();
            let (dropped, kept) = (Colour::decode(&frame), Kept::decode(&frame));
            match (dropped, kept) {
                (Ok(Colour::Red), Ok(Kept::Red)) | (Ok(Colour::Green), Ok(Kept::Green)) => {}
                (Ok(Colour::Newer), Ok(Kept::Newer(_))) => {}
                (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
                (one, other) => panic!("{frame:?}: {one:?}, {other:?}"),
            }
        }
    }
}

/// The error does not affect other messages.
#[test]
fn it_fails_alone() {
    let (mut ours, mut theirs) = Connection::<Colour, Colour>::pair().unwrap();
    let refused = |error: &SendError| {
        !error.is_fatal() && matches!(error, SendError::Encode(EncodeError::UnknownTag(_)))
    };
    assert!(ours.send(&Colour::Newer).is_err_and(|error| refused(&error)));
    assert!(OwnedFrame::<Colour>::encode(&Colour::Newer).is_err());
    let mut batch = Batch::new(ours.tx);
    batch.push(&Colour::Red, Wait::Block).unwrap();
    assert!(batch.push(&Colour::Newer, Wait::Block).is_err_and(|error| refused(&error.error)));
    batch.push(&Colour::Green, Wait::Block).unwrap();
    batch.flush(Wait::Block).unwrap();
    drop((batch, ours.rx));
    assert_eq!(theirs.recv().unwrap().unwrap().decode().unwrap(), Colour::Red);
    assert_eq!(theirs.recv().unwrap().unwrap().decode().unwrap(), Colour::Green);
    assert!(theirs.recv().unwrap().is_none());
}

/// With any codec, also inside a message with another codec.
#[test]
fn it_works_with_each_codec() {
    #[derive(Message, Debug, Clone, Copy, PartialEq)]
    #[message(codec = datagrammar::codec::Postcard)]
    enum Size {
        #[message(tag = 200)]
        Small,
        #[message(other)]
        Newer,
    }

    #[derive(Message, Debug, PartialEq)]
    #[message(tag = 1)]
    struct Shirt(#[message(nested)] Size, u8);

    is_sent_as(Shirt(Size::Small, 7), &[1, 2, 200, 1, 7]);
    assert_eq!(Shirt::decode(&[1, 3, 201, 1, 9, 7]).unwrap(), Shirt(Size::Newer, 7));
    is_not_sent(&Shirt(Size::Newer, 7), "Size::Newer");
}
