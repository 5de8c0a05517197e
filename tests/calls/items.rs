//! Items that cannot be sent.

use std::fs::File;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Client, Context, ItemError, ItemSender, Items, Server};
use datagrammar::{Connection, Message, Protocol, to_vec};
use datagrammar_tests::datagrams::{END, ITEM, REPLY, bundle, part};
use datagrammar_tests::{raw, skipped};
use rustix::net::SocketType;

/// Longer than any of these tests takes: a call that waits for this long would wait forever.
const STALL: Duration = Duration::from_secs(60);

#[derive(Message, Protocol)]
enum Numbers {
    #[message(tag = 1, items = Odd)]
    Count { to: u64 },
    #[message(tag = 2, items = Opened)]
    Open,
}

/// Only odd numbers can be encoded.
#[derive(Message)]
#[message(tag = 1)]
struct Odd(#[message(with = odd)] u64);

#[derive(Message)]
#[message(tag = 1)]
struct Opened(#[message(fd)] File);

mod odd {
    use serde::ser::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "`with` passes references")]
    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        match value % 2 {
            0 => Err(S::Error::custom("it is even")),
            _ => serializer.serialize_u64(*value),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
        u64::deserialize(input)
    }
}

/// The same protocol in an older client, which accepts no descriptors.
#[derive(Message, Protocol)]
enum Older {
    #[message(tag = 2, items = Nothing)]
    Open,
}

#[derive(Message, Debug)]
#[message(tag = 1)]
struct Nothing;

struct Handler(Sender<u64>);

impl NumbersHandler for Handler {
    fn count(&self, _: &Context, to: u64, mut items: ItemSender<Odd>) {
        for number in 0..to {
            match items.send(&Odd(number)) {
                Ok(()) => assert_eq!(number % 2, 1),
                Err(ItemError::NotSent(_)) => assert_eq!(number % 2, 0),
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn open(&self, _: &Context, mut items: ItemSender<Opened>) {
        let mut sent = 0;
        while items.send(&Opened(File::open("/dev/null").unwrap())).is_ok() {
            sent += 1;
        }
        self.0.send(sent).unwrap();
    }
}

#[test]
fn items_that_cannot_be_encoded_take_no_credit() {
    let (client, server) = Connection::pair().unwrap();
    let service = NumbersService(Handler(mpsc::channel().0));
    let serving = thread::spawn(move || Server::new(service).serve(server));
    let client = NumbersClient::new(client);
    let (done, has_done) = mpsc::channel();
    let taking = thread::spawn(move || {
        let mut items = client.count(200).unwrap();
        for number in (1..200).step_by(2) {
            assert_eq!(items.recv().unwrap().unwrap().0, number);
        }
        assert!(items.recv().unwrap().is_none());
        done.send(()).unwrap();
    });
    has_done.recv_timeout(STALL).expect("all come");
    taking.join().unwrap();
    serving.join().unwrap().unwrap();
}

/// Linux 6.16 refuses to send the descriptors.
#[test]
fn a_handler_learns_that_its_items_are_refused() {
    let (client, server) = raw::pair(SocketType::SEQPACKET);
    let client = OlderClient::new(Connection::adopt(client).unwrap());
    let (done, has_done) = mpsc::channel();
    let serving = thread::spawn(move || {
        Server::new(NumbersService(Handler(done))).serve(Connection::adopt(server).unwrap())
    });
    let mut items = client.open().unwrap();
    let first = items.recv();
    if first.is_ok() {
        skipped("this kernel does not refuse descriptors");
    } else {
        assert!(matches!(first, Err(CallError::Failed)), "{first:?}");
        let sent = has_done.recv_timeout(STALL).expect("the handler ends");
        assert!(sent <= 16, "{sent}");
    }
    drop((items, client));
    serving.join().unwrap().unwrap();
}

#[cfg(feature = "tokio")]
mod awaited {
    use std::fs::File;
    use std::sync::mpsc::{self, Sender};

    use datagrammar::calls::{CallError, Context, ItemError};
    use datagrammar::tokio::Connection;
    use datagrammar::tokio::calls::{ItemSender, Server};
    use datagrammar_tests::{raw, skipped};
    use tokio::time::{sleep, timeout};

    use super::{
        Duration, NumbersTokioClient, NumbersTokioHandler, NumbersTokioService, Odd,
        OlderTokioClient, Opened, STALL,
    };

    struct Handler(Sender<u64>);

    impl NumbersTokioHandler for Handler {
        async fn count(&self, _: &Context, to: u64, mut items: ItemSender<Odd>) {
            for number in 0..to {
                match items.send(&Odd(number)).await {
                    Ok(()) => assert_eq!(number % 2, 1),
                    Err(ItemError::NotSent(_)) => assert_eq!(number % 2, 0),
                    Err(error) => panic!("{error}"),
                }
            }
        }

        async fn open(&self, _: &Context, mut items: ItemSender<Opened>) {
            let mut sent = 0;
            while items.send(&Opened(File::open("/dev/null").unwrap())).await.is_ok() {
                sent += 1;
            }
            self.0.send(sent).unwrap();
        }
    }

    #[tokio::test]
    async fn items_that_cannot_be_encoded_take_no_credit() {
        let (client, server) = Connection::pair().unwrap();
        let service = NumbersTokioService(Handler(mpsc::channel().0));
        let serving = tokio::spawn(async move { Server::new(service).serve(server).await });
        let client = NumbersTokioClient::new(client);
        let mut items = client.count(200).unwrap();
        for number in (1..200).step_by(2) {
            let item = timeout(STALL, items.recv()).await.expect("all come");
            assert_eq!(item.unwrap().unwrap().0, number);
        }
        assert!(items.recv().await.unwrap().is_none());
        drop((client, items));
        serving.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_handler_learns_that_its_items_are_refused() {
        let (client, server) = raw::pair(rustix::net::SocketType::SEQPACKET);
        let client = OlderTokioClient::new(Connection::adopt(client).unwrap());
        let server = Connection::adopt(server).unwrap();
        let (done, has_done) = mpsc::channel();
        let service = NumbersTokioService(Handler(done));
        let serving = tokio::spawn(async move { Server::new(service).serve(server).await });
        let mut items = client.open().unwrap();
        let first = items.recv().await;
        if first.is_ok() {
            skipped("this kernel does not refuse descriptors");
        } else {
            assert!(matches!(first, Err(CallError::Failed)), "{first:?}");
            let ended = async {
                while has_done.try_recv().is_err() {
                    sleep(Duration::from_millis(1)).await;
                }
            };
            timeout(STALL, ended).await.expect("the handler ends");
        }
        drop((items, client));
        serving.await.unwrap().unwrap();
    }
}

#[test]
fn a_wait_for_an_item_ends_at_its_deadline_and_the_call_goes_on() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let client = NumbersClient::new(Connection::adopt(ours).unwrap());
    let soon = || Instant::now() + Duration::from_millis(20);
    let mut items = client.count(1).unwrap();
    assert!(!items.wait_deadline(Instant::now()));
    assert!(!items.wait_deadline(soon()));

    raw::send(&theirs, &part(ITEM, 0, 1, &to_vec(&Odd(1)).unwrap())).unwrap();
    // This only checks.
    assert!(items.wait_deadline(Instant::now()));
    assert_eq!(items.recv().unwrap().map(|item| item.0), Some(1));
    assert!(!items.wait_deadline(Instant::now()));

    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(50));
            raw::send(&theirs, &part(END, 0, 1, &[])).unwrap();
        });
        assert!(items.wait_deadline(Instant::now() + STALL));
    });
    assert!(items.recv().unwrap().is_none());
    assert!(items.wait_deadline(Instant::now()));

    // The deadline of the call ends the stream.
    let mut items = client.deadline(soon()).count(1).unwrap();
    assert!(items.wait_deadline(Instant::now() + STALL));
    assert!(matches!(items.recv(), Err(CallError::TimedOut)));
}

/// Of two threads that wait for items, only one would be woken.
#[test]
fn only_one_thread_can_wait_for_items() {
    let _: fn(&mut Items<Numbers, Odd>, Instant) -> bool = Items::wait_deadline;
}

/// The server sends answers of no call, faster than a client can drop them.
#[test]
fn a_flood_does_not_hold_up_a_reader_that_only_checks() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let calls = Client::<Numbers>::new(Connection::adopt(ours).unwrap());
    let client = NumbersClient::from(calls.clone());
    let mut items = client.count(1).unwrap();
    let strays = bundle(&vec![part(REPLY, 0, u64::MAX, &[]); 4000]);
    let flood = thread::spawn(move || while raw::send(&theirs, &strays).is_ok() {});
    let (done, has_done) = mpsc::channel();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        let has_item = items.wait_deadline(Instant::now());
        done.send(has_item).unwrap();
    });
    assert_eq!(has_done.recv_timeout(STALL), Ok(false));
    assert!(calls.dropped() < 100_000, "it reads on and on: {} answers", calls.dropped());
    drop((client, calls));
    flood.join().unwrap();
}
