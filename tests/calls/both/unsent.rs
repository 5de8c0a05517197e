//! Requests and items that cannot be sent, while the connection stays usable.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{Answers, CallError, Client, Outcome, Server};
use datagrammar::{Connection, Message, SendError};
use datagrammar_tests::{raw, skipped};
use rustix::net::{Shutdown, SocketType, shutdown};

use crate::peer::{ITEM, Part, Peer, REQUEST};
use crate::protocol::{Counted, Echoed, Sums};
use crate::{Handler, Ours, add};

/// Longer than any of these tests takes: a call that waits for this long would wait forever.
const STALL: Duration = Duration::from_secs(60);

fn pair() -> (Ours, OwnedFd) {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    (Client::new(Connection::adopt(ours).unwrap()), theirs)
}

/// The previous owner of a connection may have begun to send a large frame before it becomes a client.
#[test]
fn a_request_waits_for_the_rest_of_a_large_frame_and_is_then_sent() {
    let (mut client, server) = Connection::<Sums<'static>, Answers<Sums<'static>>>::pair().unwrap();
    client.tx.try_send(&Sums::Echo { text: &[7; 5_000_000] }).unwrap();
    assert!(client.tx.pending() > 0);
    let client = Ours::new(client);
    let (done, has_done) = mpsc::channel();
    let calling = thread::spawn({
        let client = client.clone();
        move || done.send(add(&client, 1, 2))
    });
    while client.in_flight() == 0 {
        thread::yield_now();
    }
    // The request finds no room.
    thread::sleep(Duration::from_millis(50));
    let serving = thread::spawn(move || Server::new(Handler::default()).serve(server));
    assert_eq!(has_done.recv_timeout(STALL).expect("it is not lost").unwrap(), 3);
    calling.join().unwrap().unwrap();
    drop(client);
    serving.join().unwrap().unwrap();
}

/// A peer that stops reading may continue to send, so no end comes.
#[test]
fn a_request_that_cannot_be_sent_fails_though_answers_may_come() {
    let (client, theirs) = pair();
    let mut peer = Peer::new(theirs.try_clone().unwrap());
    let mut items = client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
    let Part { kind: REQUEST, id, .. } = peer.next() else { panic!("no request") };
    shutdown(&theirs, Shutdown::Read).unwrap();
    let (done, has_done) = mpsc::channel();
    let calling = thread::spawn({
        let client = client.clone();
        move || done.send((add(&client, 1, 2), add(&client, 1, 2)))
    });
    let (first, second) = has_done.recv_timeout(STALL).expect("both fail");
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert!(matches!(error, CallError::NotSent(_)), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotExecuted);
    }
    calling.join().unwrap().unwrap();
    // Earlier requests are answered.
    peer.part(ITEM, 0, id, &[1, 7]);
    assert_eq!(items.recv().unwrap().unwrap().0, 7);
    drop((peer, theirs));
    assert!(matches!(items.recv(), Err(CallError::Disconnected(None))));
}

/// The same with several requests in one datagram.
#[test]
fn requests_of_a_bundle_that_cannot_be_sent_fail() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let filler = Peer::new(ours.try_clone().unwrap());
    let client = Ours::new(Connection::adopt(ours).unwrap());
    // No more requests fit.
    while filler.try_send(&[7; 16_000]).is_ok() {}
    let (done, has_done) = mpsc::channel();
    for number in 0..10 {
        let (client, done) = (client.clone(), done.clone());
        thread::spawn(move || done.send(add(&client, number, number)));
    }
    while client.in_flight() < 10 {
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(50));
    shutdown(&theirs, Shutdown::Read).unwrap();
    for _ in 0..10 {
        let error = has_done.recv_timeout(STALL).expect("all fail").unwrap_err();
        assert!(matches!(error, CallError::NotSent(_)), "{error:?}");
    }
}

/// After `TimedOut`, the caller relies on the request being queued.
#[test]
fn a_request_without_an_answer_does_not_wait_for_what_is_queued_behind_it() {
    let (client, theirs) = pair();
    let request = Sums::Echo { text: &[7; 20_000] };
    let hasty = client.deadline(Instant::now() + Duration::from_millis(500));
    let mut sent = 0;
    while hasty.notify(&request).is_ok() {
        sent += 1;
    }
    let client = client.deadline(Instant::now() + Duration::from_secs(5));
    let (waiting, behind) = thread::scope(|scope| {
        let waiting = scope.spawn(|| client.notify(&request));
        thread::sleep(Duration::from_millis(50));
        // More requests than fit.
        let behind: Vec<_> =
            (0..=sent).map(|_| client.start::<Echoed<'static>>(&request)).collect();
        for _ in 0..sent {
            raw::recv(&theirs);
        }
        (waiting.join().unwrap(), behind)
    });
    waiting.unwrap();
    assert!(behind.iter().all(Result::is_ok));
}

/// A peer that accepts no descriptors.
#[derive(Message)]
enum Plain {
    #[message(tag = 4)]
    Note(u64),
}

/// A caller that gets an error may repeat the call, and one that gets none must not. Linux 6.16 refuses descriptors
/// when they are sent.
#[test]
fn who_sends_what_is_refused_learns_of_it_and_nobody_else() {
    let (client, theirs) = pair();
    let mut peer = Connection::<Plain, Plain>::adopt(theirs).unwrap();
    let file = || File::open("/dev/null").unwrap();
    if client.notify(&Sums::Measure { file: file() }).is_ok() {
        return skipped("this kernel does not refuse descriptors");
    }
    let receiving = thread::spawn(move || {
        let mut sum = 0;
        while let Some(frame) = peer.recv().unwrap() {
            let Plain::Note(number) = frame.decode().unwrap();
            sum += number;
        }
        sum
    });
    thread::scope(|scope| {
        for number in 0..8 {
            let client = &client;
            scope.spawn(move || {
                for _ in 0..500 {
                    if number == 0 {
                        let refused = client.notify(&Sums::Measure { file: file() });
                        let Err(CallError::NotSent(error)) = refused else { panic!("it is sent") };
                        assert!(matches!(*error, SendError::DescriptorsRefused { count: 1 }));
                    } else {
                        client.notify(&Sums::Note(1)).unwrap();
                    }
                }
            });
        }
    });
    drop(client);
    assert_eq!(receiving.join().unwrap(), 7 * 500);
}
