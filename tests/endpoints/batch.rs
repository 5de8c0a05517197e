//! Messages that are collected, and sent together: in order, none lost or doubled.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Batch, Connection, Message, SendAllError, SendError, Wait};
use datagrammar_tests::{InMode as _, Random, raw, seed};
use rustix::net::{RecvFlags, SocketType};
use serde::ser::{Serialize, Serializer};

use super::kinds::{Any, Ours, expect, file, mixed, next, plain, refused, small};

fn batch_and_theirs() -> (Batch<Any<'static>>, Ours) {
    let (ours, theirs) = Ours::pair().unwrap().in_mode();
    (Batch::new(ours.tx), theirs)
}

#[test]
fn messages_of_all_kinds_keep_their_order() {
    let mut random = Random(seed());
    for _ in 0..5 {
        let messages = mixed(&mut random, 300);
        let flushes: Vec<bool> = messages.iter().map(|_| random.below(20) == 0).collect();
        let (mut batch, mut theirs) = batch_and_theirs();
        thread::scope(|scope| {
            scope.spawn(move || {
                for (message, flushes) in messages.iter().zip(flushes) {
                    batch.push(message, Wait::Block).unwrap();
                    if flushes {
                        let left = batch.len();
                        assert_eq!(batch.flush(Wait::Block).unwrap(), left);
                        assert!(batch.is_empty() && batch.buffer().is_empty());
                    }
                }
                batch.flush(Wait::Block).unwrap();
            });
            expect(&mut theirs, 0..300);
        });
    }
}

#[test]
fn the_buffer_is_what_has_not_been_sent() {
    let (mut batch, mut theirs) = batch_and_theirs();
    assert!(batch.is_empty() && batch.buffer().is_empty());
    batch.push(&plain(1, 2), Wait::Try).unwrap();
    batch.push(&plain(2, 249), Wait::Try).unwrap();
    let long = [&[251, 251, 0, 1, 2][..], &[7; 249]].concat();
    assert_eq!(batch.buffer(), [&[4, 1, 1, 7, 7][..], &long].concat());
    assert_eq!((batch.len(), next(&mut theirs)), (2, None));
    assert_eq!(batch.flush(Wait::Try).unwrap(), 2);
    assert!(batch.is_empty() && batch.buffer().is_empty());
    assert_eq!(batch.flush(Wait::Try).unwrap(), 0);
    expect(&mut theirs, 1..3);
}

#[test]
fn one_alone_is_sent_as_the_frame_that_it_is() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let mut batch = Batch::new(Ours::adopt(ours).unwrap().tx);
    batch.push(&plain(9, 1), Wait::Block).unwrap();
    batch.flush(Wait::Block).unwrap();
    let mut buffer = [0; 100];
    let (len, _) = rustix::net::recv(&theirs, &mut buffer[..], RecvFlags::DONTWAIT).unwrap();
    assert_eq!(buffer[..len], [1, 9, 7]);
}

#[test]
fn what_does_not_fit_is_sent_before_and_what_goes_alone_at_once() {
    let (mut batch, mut theirs) = batch_and_theirs();
    // Four messages of 16 KiB are too many: the fourth sends those before it.
    for number in 0..3 {
        batch.push(&plain(number, 16_382), Wait::Try).unwrap();
        assert_eq!(batch.len() as u64, number + 1);
    }
    assert_eq!(next(&mut theirs), None);
    batch.push(&plain(3, 16_382), Wait::Try).unwrap();
    assert_eq!(batch.len(), 1);
    expect(&mut theirs, 0..3);
    // A longer message, and one with a descriptor, send those before them, and are sent at once.
    for (number, alone) in [(5, plain(5, 16_383)), (7, file(7)), (9, plain(9, 100_000))] {
        batch.push(&plain(number - 1, 10), Wait::Try).unwrap();
        batch.push(&alone, Wait::Try).unwrap();
        assert!(batch.is_empty());
        let first = if number == 5 { 3 } else { number - 1 };
        expect(&mut theirs, first..=number);
    }
}

#[test]
fn what_is_refused_is_not_in_the_batch_and_what_is_in_it_is_not_lost() {
    let mut random = Random(seed());
    let messages: Vec<_> = (0..3000)
        .map(|number| plain(number, [10, 100, 3000, 20_000][random.below(4) as usize]))
        .collect();
    let (mut batch, mut theirs) = batch_and_theirs();
    let (mut left, mut expected) = (messages.iter().peekable(), 0..3000);
    let mut refused = 0;
    while let Some(message) = left.peek() {
        let before = batch.len();
        let soon = Instant::now() + Duration::from_micros(100);
        let wait = [Wait::Try, Wait::Until(soon)][random.below(2) as usize];
        match batch.push(message, wait) {
            Ok(()) => drop(left.next()),
            Err(SendAllError { sent, error, .. }) => {
                refused += 1;
                let is_full =
                    matches!(error, SendError::WouldBlock { .. } | SendError::TimedOut { .. });
                assert!(is_full, "{error:?}");
                assert_eq!(batch.len(), before - sent);
                for _ in 0..random.below(200) {
                    let Some(number) = next(&mut theirs) else { break };
                    assert_eq!(Some(number), expected.next());
                }
            }
        }
        if random.below(50) == 0 {
            let before = batch.len();
            let sent = batch.flush(Wait::Try).unwrap_or_else(|stopped| stopped.sent);
            assert_eq!(batch.len(), before - sent);
        }
    }
    assert!(refused > 3, "there was room all the time");
    while !batch.is_empty() {
        _ = batch.flush(Wait::Until(Instant::now() + Duration::from_millis(1)));
        while let Some(number) = next(&mut theirs) {
            assert_eq!(Some(number), expected.next());
        }
    }
    expect(&mut theirs, expected);
}

#[test]
fn what_cannot_be_encoded_changes_nothing() {
    let (mut batch, mut theirs) = batch_and_theirs();
    for number in 0..100 {
        batch.push(&plain(number, 10), Wait::Block).unwrap();
        let before = (batch.len(), batch.buffer().to_vec());
        let stopped = batch.push(&refused(number), Wait::Block).unwrap_err();
        assert!(matches!(stopped, SendAllError { sent: 0, error: SendError::Encode(_), .. }));
        assert_eq!((batch.len(), batch.buffer()), (before.0, &before.1[..]));
    }
    batch.flush(Wait::Block).unwrap();
    expect(&mut theirs, 0..100);
}

#[test]
fn a_batch_that_is_dropped_sends_what_there_is_room_for() {
    let (mut batch, mut theirs) = batch_and_theirs();
    for message in &small(10) {
        batch.push(message, Wait::Block).unwrap();
    }
    assert_eq!(next(&mut theirs), None);
    drop(batch);
    for number in 0..10 {
        assert_eq!(next(&mut theirs), Some(number));
    }
    assert!(theirs.recv().unwrap().is_none());

    // The push does not wait, and the peer gets only a beginning.
    let (mut batch, mut theirs) = batch_and_theirs();
    let is_full = |number: &u64| batch.push(&plain(*number, 1000), Wait::Try).is_err();
    let pushed = (0..).find(is_full).unwrap();
    drop(batch);
    let received = std::iter::from_fn(|| theirs.recv().unwrap().map(drop)).count() as u64;
    assert!(received > 0 && received < pushed);
}

#[test]
fn a_batch_gives_its_sender_back_once_all_is_sent() {
    let (mut batch, mut theirs) = batch_and_theirs();
    batch.push(&plain(0, 10), Wait::Block).unwrap();
    batch.push(&plain(1, 10), Wait::Block).unwrap();
    let mut sender = batch.into_inner(Wait::Block).unwrap();
    sender.send(&plain(2, 10)).unwrap();
    expect(&mut theirs, 0..3);

    // The sender keeps its pending rest.
    let mut batch = Batch::new(sender);
    batch.push(&plain(3, 1_000_000), Wait::Try).unwrap();
    let mut sender = batch.into_inner(Wait::Block).unwrap();
    assert!(sender.pending() > 0);
    thread::scope(|scope| {
        scope.spawn(|| sender.send(&plain(4, 10)).unwrap());
        expect(&mut theirs, 3..5);
    });

    // While not everything can be sent, the batch is returned unchanged.
    let mut batch = Batch::new(sender);
    let is_full = |number: &u64| batch.push(&plain(*number, 1000), Wait::Try).is_err();
    let pushed = (0..).find(is_full).unwrap();
    let left = batch.len();
    let (batch, stopped) = batch.into_inner(Wait::Try).unwrap_err();
    assert!(matches!(stopped, SendAllError { sent: 0, error: SendError::WouldBlock { .. }, .. }));
    assert_eq!(batch.len(), left);
    thread::scope(|scope| {
        scope.spawn(|| drop(batch.into_inner(Wait::Block).unwrap()));
        for number in 0..pushed {
            let frame = theirs.recv().unwrap().expect("a frame");
            assert_eq!(super::kinds::number(frame.decode().unwrap()), number);
        }
        assert!(theirs.recv().unwrap().is_none());
    });
}

#[test]
fn what_is_pending_is_sent_by_a_flush() {
    let (mut batch, mut theirs) = batch_and_theirs();
    batch.push(&plain(0, 1_000_000), Wait::Try).unwrap();
    assert_eq!((batch.len(), batch.is_empty()), (0, false));
    let stopped = batch.flush(Wait::Try).unwrap_err();
    assert!(matches!(stopped, SendAllError { sent: 0, error: SendError::WouldBlock { .. }, .. }));
    thread::scope(|scope| {
        scope.spawn(move || {
            assert_eq!(batch.flush(Wait::Block).unwrap(), 0);
            assert!(batch.is_empty());
        });
        expect(&mut theirs, 0..1);
    });
    assert!(theirs.recv().unwrap().is_none());
}

#[test]
fn a_batch_whose_peer_is_gone_keeps_what_was_not_sent() {
    let (mut batch, theirs) = batch_and_theirs();
    for message in &small(10) {
        batch.push(message, Wait::Block).unwrap();
    }
    drop(theirs);
    for _ in 0..2 {
        let stopped = batch.flush(Wait::Block).unwrap_err();
        assert!(matches!(stopped, SendAllError { sent: 0, error: SendError::Disconnected, .. }));
        assert_eq!(batch.len(), 10);
    }
    let (batch, stopped) = batch.into_inner(Wait::Block).unwrap_err();
    assert!(stopped.error.is_fatal());
    assert_eq!(batch.len(), 10);
}

thread_local! {
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

/// A field that may panic while it is encoded.
#[derive(serde::Deserialize)]
struct Nervous(u64);

impl Serialize for Nervous {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if PANICS.get() {
            panic::resume_unwind(Box::new(()));
        }
        serializer.serialize_u64(self.0)
    }
}

#[derive(Message)]
enum Outer {
    #[message(tag = 1)]
    Outer { before: u64, nervous: Nervous },
}

#[test]
fn a_message_that_panics_while_it_is_encoded_changes_nothing() {
    let (ours, mut theirs) = Connection::<Outer, Outer>::pair().unwrap().in_mode();
    let mut batch = Batch::new(ours.tx);
    for number in 0..100 {
        let outer = Outer::Outer { before: number, nervous: Nervous(number) };
        batch.push(&outer, Wait::Block).unwrap();
        PANICS.set(true);
        let push = AssertUnwindSafe(|| batch.push(&outer, Wait::Block));
        panic::catch_unwind(push).expect_err("a panic");
        PANICS.set(false);
        assert_eq!(batch.len() as u64, number + 1);
    }
    batch.flush(Wait::Block).unwrap();
    for number in 0..100 {
        let frame = theirs.recv().unwrap().expect("a frame");
        assert_eq!(frame.bytes(), [1, number, number]);
    }
    assert!(theirs.try_recv().is_err());
}
