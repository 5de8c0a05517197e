//! Protocols of every shape.

use std::thread;

use datagrammar::calls::{Context, Responder, Server};
use datagrammar::{Connection, Message, Protocol, Unknown};

mod inner {
    use super::*;

    #[derive(Message, Debug, PartialEq)]
    #[message(tag = 1)]
    pub(super) struct Entry<'a>(pub(super) &'a str);

    /// Names that are as awkward as possible.
    #[derive(Message, Protocol)]
    pub(super) enum Shapes<'frame> {
        #[message(tag = 1, reply = u64)]
        Unnamed(u64),
        #[message(tag = 2, reply = u64)]
        TwoUnnamed(u64, Option<&'frame str>),
        /// The names that generated arguments have.
        #[message(tag = 3, reply = &str)]
        Ours { cx: &'frame str, responder: &'frame str },
        #[message(tag = 4, reply = u64, name = renamed)]
        New,
        #[message(tag = 5, reply = u64)]
        r#Type { r#match: u8 },
        #[message(tag = 6, reply = String, name = r#loop)]
        Nests {
            #[message(nested)]
            entries: Vec<Entry<'frame>>,
            #[message(nested)]
            own: Option<Box<Self>>,
        },
        #[cfg(any())]
        #[message(tag = 7, reply = NoSuchType)]
        Gone { field: NoSuchType },
        #[cfg(test)]
        #[message(tag = 8, reply = bool)]
        HTTPGet,
        #[deprecated]
        #[message(tag = 9, reply = u8)]
        Old,
        #[message(other)]
        Newer(Unknown<'frame>),
    }
}

use inner::{Entry, Shapes, ShapesClient, ShapesHandler, ShapesOursAnswer, ShapesService};

struct Handler;

impl ShapesHandler for Handler {
    fn unnamed(&self, _: &Context, value: u64) -> u64 {
        value
    }

    fn two_unnamed(&self, _: &Context, value_0: u64, value_1: Option<&str>) -> u64 {
        value_0 + value_1.map_or(0, |text| text.len() as u64)
    }

    fn ours(
        &self,
        _: &Context,
        cx: &str,
        responder: &str,
        to: Responder<ShapesOursAnswer<'static>>,
    ) {
        to.send(Ok(&format!("{cx}{responder}"))).unwrap();
    }

    fn renamed(&self, _: &Context) -> u64 {
        4
    }

    fn r#type(&self, _: &Context, r#match: u8) -> u64 {
        r#match.into()
    }

    fn r#loop(&self, _: &Context, entries: Vec<Entry<'_>>, own: Option<Box<Shapes<'_>>>) -> String {
        format!("{entries:?} {}", own.map_or("none", |own| own.name()))
    }

    fn http_get(&self, _: &Context) -> bool {
        true
    }

    fn old(&self, _: &Context) -> u8 {
        9
    }
}

#[test]
fn awkward_names() {
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(move || Server::new(ShapesService(Handler)).serve(server));
    let client = ShapesClient::new(client);
    assert_eq!(client.unnamed(7).unwrap(), 7);
    assert_eq!(client.two_unnamed(7, Some("abc")).unwrap(), 10);
    assert_eq!(client.ours("a", "b").unwrap().decode().unwrap(), "ab");
    assert_eq!(client.renamed().unwrap(), 4);
    assert_eq!(client.r#type(5).unwrap(), 5);
    let own = Some(Box::new(Shapes::HTTPGet));
    assert_eq!(client.r#loop(vec![Entry("a")], own).unwrap(), "[Entry(\"a\")] HTTPGet");
    assert!(client.http_get().unwrap());
    #[expect(deprecated, reason = "the method is deprecated like the variant")]
    let old = client.old();
    assert_eq!(old.unwrap(), 9);
    drop(client);
    server.join().unwrap().unwrap();
}

#[test]
fn in_a_function() {
    #[derive(Message, Protocol)]
    enum Local {
        #[message(tag = 1, reply = Result<u64, String>)]
        Half(u64),
    }

    struct Halves;

    impl LocalHandler for Halves {
        fn half(&self, _: &Context, value: u64) -> Result<u64, String> {
            match value % 2 {
                0 => Ok(value / 2),
                _ => Err(format!("{value} is odd")),
            }
        }
    }

    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(move || Server::new(LocalService(Halves)).serve(server));
    assert_eq!(LocalClient::new(client).half(8).unwrap(), 4);
    server.join().unwrap().unwrap();
}

/// No name begins with a digit.
#[derive(Message, Protocol)]
enum _3d {
    #[message(tag = 1, reply = u64)]
    _1(u64),
}

#[test]
fn names_that_begin_with_digits() {
    struct Same;
    impl _3dHandler for Same {
        fn _1(&self, _: &Context, value: u64) -> u64 {
            value
        }
    }

    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(move || Server::new(_3dService(Same)).serve(server));
    assert_eq!(_3dClient::new(client)._1(8).unwrap(), 8);
    server.join().unwrap().unwrap();
}

#[derive(Message, Protocol)]
enum Never {}

#[test]
fn without_calls() {
    struct Nothing;
    impl NeverHandler for Nothing {}

    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(move || Server::new(NeverService(Nothing)).serve(server));
    drop(NeverClient::new(client));
    server.join().unwrap().unwrap();
}
