//! A protocol in a scope where each usual name means something else.

#[allow(unused_imports, reason = "it is there to be in the way")]
use crate::shadows::*;

/// A thing.
#[derive(
    ::wire::Message,
    ::core::fmt::Debug,
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[message(crate = ::wire, tag = 1)]
pub struct Thing<'r#try>(&'r#try ::core::primitive::str);

/// Calls.
#[derive(::wire::Message, ::wire::Protocol)]
#[message(crate = ::wire)]
pub enum Calls<'f> {
    /// A reply that borrows, to arguments with the names of generated code.
    #[message(
        tag = 1,
        reply = ::core::result::Result<Thing<'_>, ::core::primitive::u32>
    )]
    Ok {
        /// One.
        cx: &'f ::core::primitive::str,
        /// Another.
        #[message(nested)]
        responder: Thing<'f>,
    },
    /// A reply that does not borrow.
    #[message(
        tag = 2,
        reply = ::core::result::Result<::core::primitive::u32, ::std::string::String>
    )]
    Err {
        /// Not `value`, which is a constant here, so no argument can have that name.
        number: ::core::primitive::u32,
    },
    /// Items.
    #[message(tag = 3, items = Thing<'_>)]
    Some,
    /// No answer.
    #[message(tag = 4)]
    None {
        /// A name.
        text: &'f ::core::primitive::str,
    },
    #[allow(missing_docs, reason = "the generated methods have docs of their own")]
    #[message(tag = 5, reply = ::core::primitive::u8)]
    r#Dyn,
    #[message(tag = 6, reply = (), name = r#gen)]
    /// No reply, with more arguments than clippy accepts.
    #[allow(clippy::type_complexity, reason = "for this test")]
    Many(
        ::core::primitive::u8,
        ::core::primitive::u8,
        ::core::primitive::u8,
        ::core::primitive::u8,
        ::core::primitive::u8,
        ::core::primitive::u8,
        ::core::primitive::u8,
        ::core::primitive::u8,
    ),
    /// A message of a newer peer.
    #[message(other)]
    Result(::wire::Unknown<'f>),
}

/// Without any lifetime.
#[derive(::wire::Message, ::wire::Protocol)]
#[message(crate = ::wire)]
pub enum Owned {
    /// A reply that borrows nevertheless.
    #[message(tag = 1, reply = &::core::primitive::str)]
    Text,
    /// A length, without a way to ask whether it is 0.
    #[message(tag = 2, reply = ::core::primitive::usize)]
    Len,
    /// No iterator.
    #[message(tag = 3, items = Thing<'_>)]
    Iter,
    /// More than clippy likes to read.
    #[allow(clippy::type_complexity, reason = "for this test")]
    #[message(tag = 4, reply = ::std::vec::Vec<::core::option::Option<(
        ::core::result::Result<::core::primitive::u8, (::core::primitive::u8, ::std::string::String)>,
        ::core::option::Option<::core::option::Option<::core::option::Option<::core::primitive::u8>>>,
        ::std::vec::Vec<::std::vec::Vec<(::core::primitive::u8, ::core::primitive::u8)>>,
    )>>)]
    Complex,
    /// A message of a newer peer.
    #[message(other)]
    Ok,
}

struct Handler;

impl CallsHandler for Handler {
    fn ok(
        &self,
        _: &::wire::calls::Context,
        cx: &::core::primitive::str,
        responder: Thing<'_>,
        to: ::wire::calls::Responder<CallsOkAnswer<'static>>,
    ) {
        let result = if cx.is_empty() {
            ::core::result::Result::Err(7)
        } else {
            ::core::result::Result::Ok(responder)
        };
        to.send(result).expect("it can be sent");
    }

    fn err(
        &self,
        _: &::wire::calls::Context,
        number: ::core::primitive::u32,
    ) -> ::core::result::Result<::core::primitive::u32, ::std::string::String> {
        ::core::result::Result::Ok(number)
    }

    fn some(
        &self,
        _: &::wire::calls::Context,
        mut items: ::wire::calls::ItemSender<Thing<'static>>,
    ) {
        items.send(&Thing("item")).expect("it can be sent");
    }

    fn none(&self, _: &::wire::calls::Context, text: &::core::primitive::str) {
        ::core::assert_eq!(text, "none");
    }

    fn r#dyn(&self, _: &::wire::calls::Context) -> ::core::primitive::u8 {
        5
    }

    fn r#gen(
        &self,
        _: &::wire::calls::Context,
        _: ::core::primitive::u8,
        _: ::core::primitive::u8,
        _: ::core::primitive::u8,
        _: ::core::primitive::u8,
        _: ::core::primitive::u8,
        _: ::core::primitive::u8,
        _: ::core::primitive::u8,
        _: ::core::primitive::u8,
    ) {
    }
}

#[test]
fn every_call_is_answered() {
    let (client, server) = ::wire::Connection::pair().expect("a pair");
    let server = ::std::thread::spawn(move || {
        ::wire::calls::Server::new(CallsService(Handler)).serve(server)
    });
    let client = CallsClient::new(client);
    let mut answer = client.ok("a", Thing("b")).expect("an answer");
    let thing = ::wire::calls::Answer::decode(&mut answer).expect("a value");
    ::core::assert_eq!(thing, Thing("b"));
    ::core::assert_eq!(client.err(3).expect("a value"), 3);
    let mut items = client.some().expect("items");
    ::core::assert!(items.recv().expect("an item").is_some_and(|item| item == Thing("item")));
    client.none("none").expect("it can be sent");
    ::core::assert_eq!(client.r#dyn().expect("a value"), 5);
    client.r#gen(1, 2, 3, 4, 5, 6, 7, 8).expect("an answer");
    ::core::mem::drop((client, items));
    server.join().expect("no panic").expect("no error");
}
