//! Messages in messages, descriptors, and types that the compiler is asked about.

#[allow(unused_imports, reason = "it is there to be in the way")]
use crate::shadows::*;

type Bytes = ::std::vec::Vec<::core::primitive::u8>;

#[derive(::wire::Message, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
#[message(crate = ::wire)]
enum Inner<'frame> {
    #[message(tag = 1)]
    Text(&'frame ::core::primitive::str),
    #[message(tag = 2)]
    Again(#[message(nested)] ::std::boxed::Box<Self>),
    #[message(tag = 3)]
    Bytes(Bytes, [Bytes; 2]),
}

#[derive(::wire::Message, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
#[message(crate = ::wire, tag = 1)]
struct Outer<'frame, M: ::core::fmt::Debug> {
    #[message(nested)]
    first: ::core::option::Option<Inner<'frame>>,
    #[message(nested)]
    all: ::std::vec::Vec<Inner<'frame>>,
    #[message(nested, rest)]
    last: M,
}

#[derive(::wire::Message)]
#[message(crate = ::wire, tag = 1)]
struct File {
    #[message(fd)]
    one: ::std::fs::File,
    #[message(fd)]
    maybe: ::core::option::Option<::std::os::fd::OwnedFd>,
    #[message(fd)]
    many: ::std::vec::Vec<::std::os::fd::OwnedFd>,
}

#[derive(::wire::Message)]
#[message(crate = ::wire, tag = 2)]
struct Files(#[message(nested)] File);

#[test]
fn messages_nest() {
    let message = Outer {
        first: ::core::option::Option::Some(Inner::Text("t")),
        all: ::std::vec![Inner::Again(::std::boxed::Box::new(Inner::Bytes(
            ::std::vec![1],
            [::std::vec![], ::std::vec![2]],
        )))],
        last: Inner::Text("l"),
    };
    let sent = ::wire::to_vec(&message).expect("it can be sent");
    ::std::assert_eq!(sent, [1, 1, 3, 1, 1, b't', 1, 8, 2, 6, 3, 1, 1, 0, 1, 2, 1, 1, b'l']);
    let received = <Outer<'_, Inner<'_>> as ::wire::Message>::decode(&sent);
    ::std::assert_eq!(received.expect("it can be received"), message);
}

#[test]
fn descriptors_nest() {
    let open = || ::std::fs::File::open("/dev/null").expect("a file");
    let owned = || <::std::os::fd::OwnedFd as ::core::convert::From<_>>::from(open());
    let maybe = ::core::option::Option::Some(owned());
    let file = File { one: open(), maybe, many: ::std::vec![owned()] };
    let sent = ::wire::to_vec(&Files(file)).expect("it can be sent");
    let beside = ::std::vec![owned(), owned(), owned()];
    let mut descriptors = <::wire::Descriptors as ::core::convert::From<_>>::from(beside);
    let received = <Files as ::wire::Message>::decode_with(&sent, &mut descriptors);
    let ::core::result::Result::Ok(Files(File { one, maybe, many })) = received else {
        ::core::panic!("it can be received")
    };
    ::core::assert!(one.metadata().is_ok() && maybe.is_some() && many.len() == 1);
}
