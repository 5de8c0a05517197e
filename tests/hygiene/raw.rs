//! Types, variants, fields, modules and lifetimes with raw identifiers.

use ::wire::Message;

#[allow(non_camel_case_types, reason = "keywords are written so")]
#[derive(::wire::Message, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
#[message(crate = ::wire)]
enum r#enum<'r#try, r#Dyn> {
    #[message(tag = 1)]
    r#struct { r#type: u8, r#gen: &'r#try str },
    #[message(tag = 2)]
    r#match(r#Dyn),
    #[message(tag = 3)]
    r#async {
        r#fn: ::core::option::Option<::std::string::String>,
        #[message(with = r#mod)]
        r#in: u8,
    },
}

#[derive(::wire::Message, ::core::fmt::Debug)]
#[message(crate = ::wire)]
enum Old {
    #[message(tag = 1)]
    #[deprecated]
    Gone {
        #[deprecated]
        field: u8,
    },
    #[message(tag = 2)]
    Here,
}

#[test]
fn deprecated_variants_are_no_warning() {
    ::core::assert!(::core::matches!(Old::decode(&[2]), ::core::result::Result::Ok(Old::Here)));
}

mod r#mod {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "`with` passes references")]
    pub(super) fn serialize<S: ::serde_renamed::Serializer>(
        value: &u8,
        serializer: S,
    ) -> ::core::result::Result<S::Ok, S::Error> {
        ::serde_renamed::Serializer::serialize_u8(serializer, value ^ 0xff)
    }

    pub(super) fn deserialize<'de, D: ::serde_renamed::Deserializer<'de>>(
        deserializer: D,
    ) -> ::core::result::Result<u8, D::Error> {
        let value: u8 = ::serde_renamed::Deserialize::deserialize(deserializer)?;
        ::core::result::Result::Ok(value ^ 0xff)
    }
}

#[allow(non_camel_case_types, reason = "keywords are written so")]
#[derive(::wire::Message, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
#[message(crate = ::wire, tag = 4)]
struct r#union {
    r#let: u8,
}

#[test]
fn names_are_without_their_marks() {
    let message: r#enum<'_, u8> = r#enum::r#struct { r#type: 1, r#gen: "g" };
    ::std::assert_eq!(message.name(), "struct");
    ::std::assert_eq!(::wire::to_vec(&message).expect("it can be sent"), [1, 1, 1, b'g']);
    ::std::assert_eq!(r#enum::decode(&[1, 1, 1, b'g']).expect("it can be received"), message);
    ::std::assert_eq!(r#enum::<'_, u8>::r#match(0).name(), "match");
    let hidden: r#enum<'_, u8> = r#enum::r#async { r#fn: ::core::option::Option::None, r#in: 0 };
    ::std::assert_eq!(::wire::to_vec(&hidden).expect("it can be sent"), [3, 0, 255]);
    ::std::assert_eq!(r#union { r#let: 0 }.name(), "union");

    let error = r#enum::<'_, u8>::decode(&[1, 1, 9]).expect_err("it is too short");
    ::std::assert!(::std::string::ToString::to_string(&error).contains("`struct.gen`"), "{error}");
}
