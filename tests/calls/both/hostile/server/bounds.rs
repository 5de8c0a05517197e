//! Clients that ask for too much, and read too little.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use datagrammar::calls::{Answers, Call, Server, Service};
use datagrammar::{Connection, Limits, to_vec};
use datagrammar_tests::{is_awaited, raw};
use rustix::net::SocketType;

use super::{answer, check_answers, connect, echo, serve, status};
use crate::peer::{CREDIT, END, ITEM, Part, Peer, REQUEST, bundle};
use crate::{Handler, Sum, Sums};

#[test]
fn h37_credit_does_not_overflow() {
    serve(|peer| {
        peer.request(1, &Sums::Count { to: 1000 });
        peer.part(CREDIT, u32::MAX, 1, &[]);
        peer.part(CREDIT, u32::MAX, 1, &[]);
        for _ in 0..1000 {
            assert_eq!(peer.next().kind, ITEM);
        }
        assert_eq!(peer.next(), Part { kind: END, ..status(1, 0) });
    });
}

#[test]
fn a_deadline_of_a_millisecond_passes() {
    serve(|peer| {
        peer.part(REQUEST, 1, 1, &to_vec(&Sums::Slow { millis: 100_000 }).unwrap());
        assert_eq!(peer.next(), status(1, 5));
        // A stream that waits for credit.
        peer.part(REQUEST, 1, 2, &to_vec(&Sums::Count { to: u64::MAX }).unwrap());
        let last = loop {
            match peer.next() {
                Part { kind: ITEM, id: 2, .. } => {}
                last => break last,
            }
        };
        assert_eq!(last, Part { kind: END, ..status(2, 5) });
    });
}

#[test]
fn h21_a_flood_of_one_way_calls_is_handled() {
    serve(|peer| {
        let notes = bundle(&vec![to_vec(&Sums::Note(1)).unwrap(); 1000]);
        for _ in 0..100 {
            peer.send(&notes);
            peer.send(&[4, 1]);
            // A call with an answer comes without a head: it is handled, but not answered.
            peer.send(&[1, 1, 1]);
        }
    });
}

#[test]
fn h22_a_client_that_reads_no_answers_is_not_read() {
    let server = Arc::new(Server::new(Handler::default()).threads(4));
    let (peer, ended) = connect(&server, Limits::default());
    let request = echo(1, 16_000);
    let mut sent = 0;
    let mut pauses = 0;
    // Until there was no room for a second.
    while pauses < 100 {
        let mut request = request.clone();
        request[6..14].copy_from_slice(&(sent + 1_u64).to_le_bytes());
        match peer.try_send(&request) {
            Ok(()) => (sent, pauses) = (sent + 1, 0),
            Err(_) => {
                pauses += 1;
                thread::sleep(Duration::from_millis(10));
            }
        }
        // Two full sockets, and one request for each thread. An async server may also hold 1 MiB of requests and as
        // much of answers, if its handlers are slow to begin.
        assert!(sent < if is_awaited() { 250 } else { 100 }, "{sent}");
    }
    let (mut other, _) = connect(&server, Limits::default());
    check_answers(&mut other);
    drop(peer);
    ended.recv_timeout(Duration::from_secs(60)).unwrap();
}

#[test]
fn h22_streams_that_nobody_reads_are_bounded() {
    let handler = Handler::default();
    let sent = Arc::clone(&handler.sent);
    let server = Arc::new(Server::new(handler).streams(16));
    let (mut peer, ended) = connect(&server, Limits::default());
    for id in 1..=16 {
        peer.request(id, &Sums::Count { to: u64::MAX });
        peer.part(CREDIT, u32::MAX, id, &[]);
    }
    // The socket is full, and also the queue before it: 256 KiB of items of 16 bytes.
    let count = || sent.load(Ordering::Relaxed);
    let mut before = u64::MAX;
    while count() != before || before == 0 {
        before = count();
        assert!(before < 50_000, "{before}");
        thread::sleep(Duration::from_millis(500));
    }
    let (mut other, _) = connect(&server, Limits::default());
    check_answers(&mut other);
    // When the client reads, the rest arrives.
    for _ in 0..1000 {
        assert_eq!(peer.next().kind, ITEM);
    }
    drop(peer);
    ended.recv_timeout(Duration::from_secs(60)).unwrap();
}

/// A client that stops reading without closing its connection gets no items.
#[test]
fn h22_streams_that_cannot_be_sent_end() {
    let handler = Handler::default();
    let sent = Arc::clone(&handler.sent);
    let server = Arc::new(Server::new(handler));
    let (ours, ended) = connect(&server, Limits::default());
    ours.shutdown_read();
    for id in 1..=100 {
        ours.request(id, &Sums::Count { to: u64::MAX });
        ours.part(CREDIT, u32::MAX, id, &[]);
    }
    let count = || sent.load(Ordering::Relaxed);
    let mut before = u64::MAX;
    let mut rounds = 0;
    while count() != before {
        before = count();
        thread::sleep(Duration::from_millis(500));
        rounds += 1;
        assert!(rounds < 100, "{before} items were made, and more are");
    }
    let (mut other, _) = connect(&server, Limits::default());
    check_answers(&mut other);
    drop(ours);
    ended.recv_timeout(Duration::from_secs(60)).unwrap();
}

/// The remaining time travels as 32 bits of milliseconds, which is 49 days. The caller may wait longer.
#[test]
fn a_deadline_too_far_to_travel_is_none() {
    struct Teller;

    impl Service for Teller {
        type Protocol = Sums<'static>;

        fn handle(&self, mut call: Call<Sums<'static>>) {
            let Some((cx, _, answer)) = call.open() else { return };
            answer.reply::<Sum>(Ok(u64::from(cx.deadline().is_some())));
        }
    }

    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let connection = Connection::<Answers<Sums<'static>>, Sums<'static>>::adopt(theirs).unwrap();
    let serving = thread::spawn(move || Server::new(Teller).serve(connection).unwrap());
    let mut peer = Peer::new(ours);
    let request = to_vec(&Sums::Add { left: 1, right: 1 }).unwrap();
    for (millis, has_deadline) in [(0, 0), (60_000, 1), (u32::MAX - 1, 1), (u32::MAX, 0)] {
        peer.part(REQUEST, millis, 1, &request);
        assert_eq!(peer.next(), answer(1, has_deadline), "{millis}");
    }
    drop(peer);
    serving.join().unwrap();
}
