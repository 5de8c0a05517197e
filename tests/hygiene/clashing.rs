//! Types in a scope where each usual name means something else.

#[allow(unused_imports, reason = "it is there to be in the way")]
use crate::shadows::*;

type Bytes = ::std::vec::Vec<::core::primitive::u8>;
type Byte = ::core::primitive::u8;

#[derive(::wire::Message, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
#[message(crate = ::wire)]
enum Messages<'frame, T: ::core::clone::Clone, const N: ::core::primitive::usize> {
    #[message(tag = 1)]
    Ok,
    #[message(tag = 2)]
    Err(T),
    #[message(tag = 3)]
    Some {
        tag: &'frame ::core::primitive::str,
        decoder: [::core::primitive::u8; N],
        encoder: Bytes,
    },
    #[message(tag = 4)]
    None(
        ::core::option::Option<&'frame ::core::primitive::str>,
        ::std::borrow::Cow<'frame, [::core::primitive::u8]>,
        ::core::option::Option<::std::string::String>,
        #[message(with = hexadecimal)] Byte,
        #[message(rest)] &'frame [::core::primitive::u8],
    ),
    #[message(tag = 5, extensible)]
    Default(Byte, #[message(default)] ::core::option::Option<Byte>),
    #[message(other)]
    Result(::wire::Unknown<'frame>),
}

mod hexadecimal {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "`with` passes references")]
    pub(super) fn serialize<S: ::serde_renamed::Serializer>(
        value: &::core::primitive::u8,
        serializer: S,
    ) -> ::core::result::Result<S::Ok, S::Error> {
        let text = ::std::format!("{value:02x}");
        ::serde_renamed::Serializer::serialize_str(serializer, &text)
    }

    pub(super) fn deserialize<'de, D: ::serde_renamed::Deserializer<'de>>(
        deserializer: D,
    ) -> ::core::result::Result<::core::primitive::u8, D::Error> {
        let text: &'de ::core::primitive::str =
            ::serde_renamed::Deserialize::deserialize(deserializer)?;
        ::core::primitive::u8::from_str_radix(text, 16).map_err(::serde_renamed::de::Error::custom)
    }
}

/// An `other` without a field.
#[derive(
    ::wire::Message,
    ::core::fmt::Debug,
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[message(crate = ::wire)]
enum Units {
    #[message(tag = 1)]
    Ok,
    #[message(other)]
    Err,
}

type Message<'a> = Messages<'a, ::core::primitive::u32, 2>;

#[test]
fn every_message_comes_back() {
    let messages: [Message<'_>; 6] = [
        Messages::Ok,
        Messages::Err(700),
        Messages::Some { tag: "t", decoder: [1, 2], encoder: ::std::vec![3] },
        Messages::None(
            ::core::option::Option::Some("some"),
            ::std::borrow::Cow::Borrowed(b"bytes"),
            ::core::option::Option::None,
            0xa5,
            b"rest",
        ),
        Messages::Default(1, ::core::option::Option::Some(2)),
        Messages::Default(1, ::core::option::Option::None),
    ];
    for message in messages {
        let sent = ::wire::to_vec(&message).expect("it can be sent");
        let received = <Message<'_> as ::wire::Message>::decode(&sent);
        ::std::assert_eq!(received.expect("it can be received"), message);
    }
    let kept = <Message<'_> as ::wire::Message>::decode(&[77, 1]).expect("it is kept");
    ::std::assert_eq!(::wire::Message::tag(&kept), 77);
    let name = ::wire::Message::name(&kept);
    ::std::assert_eq!(name, "Result");
}

#[test]
fn what_is_dropped_is_not_sent() {
    ::std::assert_eq!(<Units as ::wire::Message>::decode(&[1]).expect("a tag"), Units::Ok);
    ::std::assert_eq!(<Units as ::wire::Message>::decode(&[2]).expect("a tag"), Units::Err);
    ::std::assert_eq!(::wire::to_vec(&Units::Ok).expect("it can be sent"), [1]);
    ::std::assert!(::wire::to_vec(&Units::Err).is_err());
}
