//! Calls of blocking clients and servers, or of async ones behind the same API, with a protocol written by hand like the
//! derive's.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod hostile;
pub(crate) mod peer;
pub(crate) mod protocol;
mod races;
mod stopping;
mod unsent;

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::Connection;
use datagrammar::calls::{Answers, Call, CallError, Client, ItemError, Server, Service};
use datagrammar_tests::{raw, within};
use rustix::net::SocketType;

use crate::peer::{Peer, REQUEST, bundle, part};
use crate::protocol::{Counted, Echoed, Length, Opened, Sum, Sums};

#[derive(Default)]
pub(crate) struct Handler {
    pub(crate) noted: Arc<AtomicU64>,
    pub(crate) sent: Arc<AtomicU64>,
    /// How many slow calls have begun.
    pub(crate) slow: Arc<AtomicU64>,
}

impl Service for Handler {
    type Protocol = Sums<'static>;

    fn handle(&self, mut call: Call<Sums<'static>>) {
        let Some((cx, request, answer)) = call.open() else { return };
        match request {
            Sums::Add { left, right } => {
                answer.reply::<Sum>(left.checked_add(right).ok_or("too much".into()));
            }
            Sums::Echo { text } => answer.responder::<Echoed<'static>>().send(Ok(text)).unwrap(),
            Sums::Count { to } => {
                let mut items = answer.items::<Counted>();
                for number in 0..to {
                    match items.send(&Counted(number)) {
                        Ok(()) => self.sent.fetch_add(1, Ordering::Relaxed),
                        Err(ItemError::Stopped) => break,
                        Err(error) => panic!("{error}"),
                    };
                }
                items.end();
            }
            Sums::Note(number) => {
                self.noted.fetch_add(number, Ordering::Relaxed);
                answer.nothing();
            }
            Sums::Panic => panic!("as asked"),
            Sums::Slow { millis } => {
                self.slow.fetch_add(1, Ordering::Relaxed);
                let until = Instant::now() + Duration::from_millis(millis);
                while Instant::now() < until && !cx.is_cancelled() {
                    thread::sleep(Duration::from_millis(1));
                }
                answer.reply::<Sum>(Ok(u64::from(cx.is_cancelled())));
            }
            Sums::Measure { file } => {
                answer.reply::<Length>(Ok(file.metadata().unwrap().len()));
            }
            Sums::Open { path } => answer.reply::<Opened>(Ok(File::open(path).unwrap())),
        }
    }
}

pub(crate) type Ours = Client<Sums<'static>>;

/// Runs `test` with a client of a server with `threads` threads, which must end afterwards. Also returns the sum of the
/// notes.
#[track_caller]
pub(crate) fn with<T: Send + 'static>(
    threads: usize,
    handler: Handler,
    test: impl FnOnce(Ours) -> T + Send + 'static,
) -> (T, u64) {
    within("the calls of the test, and the end of the server", move || {
        serve(threads, handler, test)
    })
}

fn serve<T>(threads: usize, handler: Handler, test: impl FnOnce(Ours) -> T) -> (T, u64) {
    let (client, server) = Connection::<Sums<'static>, Answers<Sums<'static>>>::pair().unwrap();
    let server_thread = thread::spawn(move || {
        let service = Arc::new(handler);
        struct Shared(Arc<Handler>);
        impl Service for Shared {
            type Protocol = Sums<'static>;
            fn handle(&self, call: Call<Sums<'static>>) {
                self.0.handle(call);
            }
        }
        Server::new(Shared(Arc::clone(&service))).threads(threads).serve(server).unwrap();
        service.noted.load(Ordering::Relaxed)
    });
    let result = test(Client::new(client));
    (result, server_thread.join().unwrap())
}

pub(crate) fn add(client: &Ours, left: u64, right: u64) -> Result<u64, CallError<String>> {
    client.call::<Sum>(&Sums::Add { left, right }).map_err(CallError::widen)?.decode()
}

#[test]
fn calls_are_answered_with_values_and_errors() {
    for threads in [1, 4] {
        let ((), noted) = with(threads, Handler::default(), |client| {
            assert_eq!(add(&client, 1, 2).unwrap(), 3);
            let error = add(&client, u64::MAX, 1).unwrap_err();
            assert!(matches!(error, CallError::Answered(text) if text == "too much"));
            let text = vec![7; 5 << 20];
            let mut answer = client.call::<Echoed<'static>>(&Sums::Echo { text: &text }).unwrap();
            assert!(answer.decode().unwrap() == text);
            client.notify(&Sums::Note(5)).unwrap();
            let panicked = client.call::<Sum>(&Sums::Panic);
            assert!(matches!(panicked, Err(CallError::Failed)));
            assert_eq!(add(&client, 3, 4).unwrap(), 7);
            assert_eq!(client.in_flight(), 0);
        });
        assert_eq!(noted, 5);
    }
}

#[test]
fn many_threads_share_a_client() {
    let ((), noted) = with(4, Handler::default(), |client| {
        thread::scope(|scope| {
            for thread in 0..16 {
                let client = &client;
                scope.spawn(move || {
                    for number in 0..2000 {
                        assert_eq!(add(client, thread, number).unwrap(), thread + number);
                        if number % 100 == 0 {
                            client.notify(&Sums::Note(1)).unwrap();
                        }
                    }
                });
            }
        });
    });
    assert_eq!(noted, 16 * 20);
}

#[test]
fn items_wait_for_their_reader_and_dropping_them_cancels() {
    let handler = Handler::default();
    let sent = Arc::clone(&handler.sent);
    with(2, handler, move |client| {
        let mut items = client.items::<Counted>(&Sums::Count { to: 1000 }).unwrap();
        assert_eq!(items.recv().unwrap().unwrap().0, 0);
        thread::sleep(Duration::from_millis(50));
        assert!(sent.load(Ordering::Relaxed) <= 16, "{sent:?}");
        for number in 1..1000 {
            assert_eq!(items.recv().unwrap().unwrap().0, number);
        }
        assert!(items.recv().unwrap().is_none());
        assert!(items.recv().unwrap().is_none());

        let mut items = client.items::<Counted>(&Sums::Count { to: u64::MAX }).unwrap();
        assert_eq!(items.recv().unwrap().unwrap().0, 0);
        drop(items);
        assert_eq!(add(&client, 1, 1).unwrap(), 2);
        assert_eq!(client.in_flight(), 0);
    });
}

#[test]
fn deadlines_pass_here_and_there() {
    with(1, Handler::default(), |client| {
        let hasty = client.deadline(Instant::now() + Duration::from_millis(20));
        let late = hasty.call::<Sum>(&Sums::Slow { millis: 100_000 });
        // The handler stops at the same time, so its answer may just arrive.
        match late {
            Ok(mut answer) => assert_eq!(answer.decode().unwrap(), 1),
            Err(error) => assert!(matches!(error, CallError::TimedOut), "{error:?}"),
        }
        assert_eq!(add(&client, 1, 1).unwrap(), 2);
    });
}

#[test]
fn a_call_after_its_deadline_is_not_sent() {
    let handler = Handler::default();
    let begun = Arc::clone(&handler.slow);
    with(1, handler, |client| {
        let late = client.deadline(Instant::now());
        for _ in 0..100 {
            let slow = late.call::<Sum>(&Sums::Slow { millis: 1 });
            assert!(matches!(slow, Err(CallError::TimedOut)));
            let items = late.items::<Counted>(&Sums::Count { to: 1 });
            assert!(matches!(items, Err(CallError::TimedOut)));
        }
        assert_eq!(add(&client, 1, 1).unwrap(), 2);
        assert_eq!((client.in_flight(), client.dropped()), (0, 0));
    });
    assert_eq!(begun.load(Ordering::Relaxed), 0);
}

#[test]
fn a_peer_that_dies_fails_all_calls() {
    let (client, server) = Connection::<Sums<'static>, Answers<Sums<'static>>>::pair().unwrap();
    let client = Ours::new(client);
    let (done, ended) = mpsc::channel();
    for _ in 0..4 {
        let (client, done) = (client.clone(), done.clone());
        thread::spawn(move || done.send(add(&client, 1, 1)).unwrap());
    }
    while client.in_flight() < 4 {
        thread::yield_now();
    }
    drop(server);
    for _ in 0..4 {
        let result = ended.recv_timeout(Duration::from_secs(60)).unwrap();
        check_gone(&result);
    }
    check_gone(&add(&client, 1, 1));
}

/// Checks that the peer was gone before the answer came, or before the request was sent.
fn check_gone(result: &Result<u64, CallError<String>>) {
    let is_gone = matches!(result, Err(CallError::Disconnected(None) | CallError::NotSent(_)));
    assert!(is_gone, "{result:?}");
    assert!(result.as_ref().is_err_and(CallError::is_fatal), "{result:?}");
}

/// The previous owner of a connection may have received a frame of the same datagram before it becomes a server.
#[test]
fn requests_behind_a_message_that_was_received_before_are_answered() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let mut server = Connection::<Answers<Sums<'static>>, Sums<'static>>::adopt(ours).unwrap();
    let mut peer = Peer::new(theirs);
    let note = datagrammar::to_vec(&Sums::Note(7)).unwrap();
    let add = datagrammar::to_vec(&Sums::Add { left: 1, right: 2 }).unwrap();
    peer.send(&bundle(&[note, part(REQUEST, 0, 1, &add), part(REQUEST, 0, 2, &add)]));
    assert!(matches!(server.recv().unwrap().unwrap().decode().unwrap(), Sums::Note(7)));
    let serving = thread::spawn(move || Server::new(Handler::default()).serve(server));
    assert!(peer.sorted(2).iter().all(|answer| answer.number == 0));
    drop(peer);
    serving.join().unwrap().unwrap();
}
