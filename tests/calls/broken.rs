//! Answers and requests that cannot be encoded, or panic while they are.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Context, ItemSender, Server};
use datagrammar::{Connection, Message, Protocol};
use datagrammar_tests::raw;
use rustix::net::SocketType;
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::peer::{Part, Peer, REPLY, REQUEST};

#[derive(Debug)]
struct Broken;

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("as the test asks");
    }
}

impl<'de> Deserialize<'de> for Broken {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

/// Cannot be encoded.
#[derive(Debug)]
struct Refused;

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("as the test asks"))
    }
}

impl<'de> Deserialize<'de> for Refused {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

#[derive(Message, Protocol)]
enum Breaks {
    #[message(tag = 1, reply = Broken)]
    Reply,
    #[message(tag = 2, items = Several)]
    List,
    #[message(tag = 3, reply = u64)]
    Work,
    #[message(tag = 4, reply = u64)]
    Ask(Broken),
    #[message(tag = 5, items = Several)]
    AskAll(Broken),
    #[message(tag = 6)]
    Tell(Broken),
    #[message(tag = 7, reply = Refused)]
    Refuse,
}

#[derive(Message, Debug)]
#[message(tag = 1)]
struct Several(Broken);

struct Handler;

impl BreaksHandler for Handler {
    fn reply(&self, _: &Context) -> Broken {
        Broken
    }

    fn list(&self, _: &Context, mut items: ItemSender<Several>) {
        items.send(&Several(Broken)).unwrap();
    }

    fn work(&self, _: &Context) -> u64 {
        7
    }

    fn ask(&self, _: &Context, _: Broken) -> u64 {
        unreachable!("it is not sent")
    }

    fn ask_all(&self, _: &Context, _: Broken, _: ItemSender<Several>) {
        unreachable!("it is not sent")
    }

    fn tell(&self, _: &Context, _: Broken) {
        unreachable!("it is not sent")
    }

    fn refuse(&self, _: &Context) -> Refused {
        Refused
    }
}

fn check(client: &BreaksClient) {
    let client = client.deadline(Instant::now() + Duration::from_secs(60));
    assert!(matches!(client.reply(), Err(CallError::Failed)));
    assert!(matches!(client.refuse(), Err(CallError::Failed)));
    assert!(matches!(client.list().unwrap().recv(), Err(CallError::Failed)));
    assert_eq!(client.work().unwrap(), 7);
    assert_eq!(client.calls.in_flight(), 0);
}

#[test]
fn callers_learn_that_the_handler_has_failed() {
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(|| Server::new(BreaksService(Handler)).threads(1).serve(server));
    let client = BreaksClient::new(client);
    check(&client);
    drop(client);
    server.join().unwrap().unwrap();
}

/// Calls a server, and checks that each call has one answer.
fn check_answers(mut peer: Peer) -> Peer {
    const DONE: u32 = 0;
    const FAILED: u32 = 3;
    for (id, tag, status) in [(1, 1, FAILED), (2, 7, FAILED), (3, 3, DONE), (4, 1, FAILED)] {
        peer.part(REQUEST, 0, id, &[tag]);
        let Part { kind, number, id: answered, .. } = peer.next();
        assert_eq!((kind, number, answered), (REPLY, status, id));
    }
    thread::sleep(Duration::from_millis(20));
    peer.check_silent();
    peer
}

#[test]
fn a_call_whose_answer_cannot_be_encoded_ends_once() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let server = Server::new(BreaksService(Handler)).threads(2);
    let stopper = server.stopper();
    let serving = thread::spawn(move || server.serve(Connection::adopt(ours).unwrap()));
    let _peer = check_answers(Peer::new(theirs));
    assert_eq!(stopper.stop(Instant::now()), 0);
    serving.join().unwrap().unwrap();
}

/// Returns whether `act` panics.
fn panics(act: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(act)).is_err()
}

#[test]
fn a_request_that_panics_is_no_call() {
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(|| Server::new(BreaksService(Handler)).serve(server));
    let client = BreaksClient::new(client);
    for _ in 0..3 {
        assert!(panics(|| _ = client.ask(Broken)));
        assert!(panics(|| _ = client.ask_all(Broken)));
        assert!(panics(|| _ = client.tell(Broken)));
        assert_eq!(client.calls.in_flight(), 0);
        assert_eq!(client.work().unwrap(), 7);
    }
    assert_eq!(client.calls.dropped(), 0);
    drop(client);
    server.join().unwrap().unwrap();
}

#[cfg(feature = "tokio")]
mod awaited {
    use datagrammar::tokio::calls as awaited;
    use datagrammar::{Connection, tokio as endpoints};

    use super::{Breaks, BreaksClient, BreaksTokioClient, BreaksTokioHandler, BreaksTokioService};
    use super::{Broken, Context, Handler, Instant, Peer, Refused, Several, SocketType};
    use super::{check, check_answers, panics, raw};

    impl BreaksTokioHandler for Handler {
        async fn reply(&self, _: &Context) -> Broken {
            Broken
        }

        async fn list(&self, _: &Context, mut items: awaited::ItemSender<Several>) {
            items.send(&Several(Broken)).await.unwrap();
        }

        async fn work(&self, _: &Context) -> u64 {
            7
        }

        async fn ask(&self, _: &Context, _: Broken) -> u64 {
            unreachable!("it is not sent")
        }

        async fn ask_all(&self, _: &Context, _: Broken, _: awaited::ItemSender<Several>) {
            unreachable!("it is not sent")
        }

        async fn refuse(&self, _: &Context) -> Refused {
            Refused
        }

        async fn tell(&self, _: &Context, _: Broken) {
            unreachable!("it is not sent")
        }
    }

    #[tokio::test]
    async fn a_call_whose_answer_cannot_be_encoded_ends_once() {
        let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
        let server = awaited::Server::new(BreaksTokioService(Handler));
        let stopper = server.stopper();
        let connection = endpoints::Connection::adopt(ours).unwrap();
        let serving = tokio::spawn(async move { server.serve(connection).await });
        let checking = tokio::task::spawn_blocking(|| check_answers(Peer::new(theirs)));
        let _peer = checking.await.unwrap();
        assert_eq!(stopper.stop(Instant::now()).await, 0);
        serving.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn callers_learn_that_the_handler_has_failed() {
        let (client, server) = Connection::pair().unwrap();
        let server: Connection<_, Breaks> = server;
        let server = endpoints::Connection::from_blocking(server).unwrap();
        let service = BreaksTokioService(Handler);
        let serving = tokio::spawn(async { awaited::Server::new(service).serve(server).await });
        let client = BreaksClient::new(client);
        tokio::task::spawn_blocking(move || check(&client)).await.unwrap();
        serving.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_request_that_panics_is_no_call() {
        let (client, server) = endpoints::Connection::pair().unwrap();
        let service = BreaksTokioService(Handler);
        let serving = tokio::spawn(async { awaited::Server::new(service).serve(server).await });
        let client = BreaksTokioClient::new(client);
        for _ in 0..3 {
            assert!(panics(|| drop(client.ask(Broken))));
            assert!(panics(|| drop(client.ask_all(Broken))));
            assert!(panics(|| drop(client.tell(Broken))));
            assert_eq!(client.calls.in_flight(), 0);
            assert_eq!(client.work().await.unwrap(), 7);
        }
        assert_eq!(client.calls.dropped(), 0);
        drop(client);
        serving.await.unwrap().unwrap();
    }
}
