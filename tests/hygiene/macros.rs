//! Types made by `macro_rules!`.

use ::wire::Message;

// Everything comes from the caller, and if there is a choice, from the macro.
macro_rules! protocol {
    (
        $(#[$attribute:meta])*
        $vis:vis enum $name:ident<$lifetime:lifetime> {
            $($variant:ident = $tag:literal { $($field:ident: $type:ty),* }),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
        $vis enum $name<$lifetime> {
            $(#[message(tag = $tag)] $variant { $($field: $type,)* #[message(rest)] rest: &$lifetime [u8] },)*
        }
    };
}

protocol! {
    #[derive(::wire::Message)]
    #[message(crate = ::wire)]
    enum Made<'a> {
        Put = 1 { name: &'a str, decoder: u8 },
        Get = 2 { tag: ::std::string::String },
    }
}

// Everything comes from the macro, with names that could be mistaken for the derive's own.
macro_rules! own {
    ($krate:path, $tag:expr) => {
        #[derive(::wire::Message, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
        #[message(crate = $krate)]
        enum Own<'a, T> {
            #[message(tag = 1)]
            One(&'a str, T),
            #[message(tag = 2)]
            Two { encoder: T, decoder: ::core::option::Option<&'a str> },
        }

        #[derive(::wire::Message, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
        #[message(crate = $krate, tag = $tag)]
        struct OwnStruct(u8);
    };
}
own!(::wire, 9);

// A type in a function that a macro writes.
macro_rules! local {
    ($type:ty) => {{
        #[derive(::wire::Message)]
        #[message(crate = ::wire, tag = 1)]
        struct Local($type);
        ::wire::to_vec(&Local(7)).expect("it can be sent")
    }};
}

#[test]
fn types_made_by_macros_are_messages() {
    let put = Made::Put { name: "n", decoder: 4, rest: b"r" };
    ::std::assert_eq!(::wire::to_vec(&put).expect("it can be sent"), [1, 1, b'n', 4, b'r']);
    ::std::assert_eq!(Made::decode(&[1, 1, b'n', 4, b'r']).expect("it can be received"), put);
    let get = Made::Get { tag: ::core::convert::From::from("t"), rest: b"" };
    ::std::assert_eq!(Made::decode(&[2, 1, b't']).expect("it can be received"), get);

    let one: Own<'_, u8> = Own::One("n", 3);
    ::std::assert_eq!(Own::decode(&[1, 1, b'n', 3]).expect("it can be received"), one);
    let two: Own<'_, u8> = Own::Two { encoder: 3, decoder: ::core::option::Option::None };
    ::std::assert_eq!(Own::decode(&[2, 3, 0]).expect("it can be received"), two);
    ::std::assert_eq!(::wire::to_vec(&OwnStruct(1)).expect("it can be sent"), [9, 1]);

    ::std::assert_eq!(local!(u16), [1, 7]);
    ::std::assert_eq!(local!(::core::primitive::u8), [1, 7]);
}
