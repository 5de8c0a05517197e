//! Messages that are collected, and sent together: in order, none lost or doubled.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Message, Queue, SendAllError, SendError, Sender};
use datagrammar_tests::{InMode as _, Random, seed};
use serde::ser::{Serialize, Serializer};

use super::together::{Any, Ours, Refused, expect, mixed, next, plain, small};

fn queue_and_theirs() -> (Queue<Any<'static>>, Ours) {
    let (ours, theirs) = Ours::pair().unwrap().in_mode();
    (Queue::new(ours.split().0), theirs)
}

#[test]
fn messages_of_all_kinds_keep_their_order() {
    let mut random = Random(seed());
    for _ in 0..5 {
        let messages = mixed(&mut random, 300);
        let flushes: Vec<bool> = messages.iter().map(|_| random.below(20) == 0).collect();
        let (mut queue, mut theirs) = queue_and_theirs();
        thread::scope(|scope| {
            scope.spawn(move || {
                for (message, flushes) in messages.iter().zip(flushes) {
                    queue.push(message).unwrap();
                    assert!(queue.len() <= 32);
                    if flushes {
                        let left = queue.len();
                        assert_eq!(queue.flush().unwrap(), left);
                        assert!(queue.is_empty());
                    }
                }
                queue.flush().unwrap();
            });
            expect(&mut theirs, 0..300);
        });
    }
}

#[test]
fn what_is_refused_is_not_in_the_queue_and_what_is_in_it_is_not_lost() {
    let mut random = Random(seed());
    let messages: Vec<_> = (0..3000)
        .map(|number| plain(number, [10, 100, 3000, 5000][random.below(4) as usize]))
        .collect();
    let (mut queue, mut theirs) = queue_and_theirs();
    let (mut left, mut expected) = (messages.iter().peekable(), 0..3000);
    while let Some(message) = left.peek() {
        let before = queue.len();
        let pushed = match random.below(2) {
            0 => queue.try_push(message),
            _ => queue.push_deadline(message, Instant::now() + Duration::from_micros(100)),
        };
        match pushed {
            Ok(()) => drop(left.next()),
            Err(SendAllError { sent, error, .. }) => {
                let is_full =
                    matches!(error, SendError::WouldBlock { .. } | SendError::TimedOut { .. });
                assert!(is_full, "{error:?}");
                assert_eq!(queue.len(), before - sent);
                for _ in 0..random.below(200) {
                    let Some(number) = next(&mut theirs) else { break };
                    assert_eq!(Some(number), expected.next());
                }
            }
        }
        if random.below(50) == 0 {
            let before = queue.len();
            let sent = queue.try_flush().unwrap_or_else(|stopped| stopped.sent);
            assert_eq!(queue.len(), before - sent);
        }
    }
    while !queue.is_empty() {
        _ = queue.flush_deadline(Instant::now() + Duration::from_millis(1));
        while let Some(number) = next(&mut theirs) {
            assert_eq!(Some(number), expected.next());
        }
    }
    expect(&mut theirs, expected);
}

#[test]
fn what_cannot_be_encoded_changes_nothing() {
    let (mut queue, mut theirs) = queue_and_theirs();
    for number in 0..100 {
        queue.push(&plain(number, 10)).unwrap();
        let before = queue.len();
        let refused = queue.push(&Any::Refused { number, refused: Refused }).unwrap_err();
        assert!(matches!(refused, SendAllError { sent: 0, error: SendError::Encode(_), .. }));
        assert_eq!(queue.len(), before);
    }
    queue.flush().unwrap();
    expect(&mut theirs, 0..100);
}

#[test]
fn a_queue_that_is_dropped_sends_what_there_is_room_for() {
    let (mut queue, mut theirs) = queue_and_theirs();
    for message in &small(10) {
        queue.push(message).unwrap();
    }
    assert_eq!(next(&mut theirs), None);
    drop(queue);
    for number in 0..10 {
        assert_eq!(next(&mut theirs), Some(number));
    }
    assert!(theirs.recv().unwrap().is_none());

    // It does not wait, and what comes is a beginning.
    let (mut queue, mut theirs) = queue_and_theirs();
    let pushed = (0..).find(|&number| queue.try_push(&plain(number, 1000)).is_err()).unwrap();
    drop(queue);
    let received = std::iter::from_fn(|| theirs.recv().unwrap().map(drop)).count() as u64;
    assert!(received > 0 && received < pushed);
}

#[test]
fn a_queue_whose_peer_is_gone_keeps_what_was_not_sent() {
    let (mut queue, theirs) = queue_and_theirs();
    for message in &small(10) {
        queue.push(message).unwrap();
    }
    drop(theirs);
    for _ in 0..2 {
        let stopped = queue.flush().unwrap_err();
        assert!(matches!(stopped, SendAllError { sent: 0, error: SendError::Disconnected, .. }));
        assert_eq!(queue.len(), 10);
    }
}

thread_local! {
    static INNER: RefCell<Option<Sender<Any<'static>>>> = const { RefCell::new(None) };
}

/// A field that sends a message of its own while it is encoded, or panics.
#[derive(serde::Deserialize)]
struct Eager {
    number: u64,
}

impl Serialize for Eager {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.number == u64::MAX {
            panic::resume_unwind(Box::new(()));
        }
        INNER.with_borrow_mut(|inner| {
            inner.as_mut().unwrap().send_all(&[plain(self.number, 5000), plain(0, 10)]).unwrap();
        });
        serializer.serialize_u64(self.number)
    }
}

#[derive(Message)]
enum Outer {
    #[message(tag = 1)]
    Outer { before: u64, eager: Eager, after: u64 },
}

#[test]
fn a_message_may_send_another_one_while_it_is_encoded_and_may_panic() {
    let (ours, mut theirs) = Connection::<Outer, Outer>::pair().unwrap().in_mode();
    let (inner, mut inner_theirs) = Ours::pair().unwrap().in_mode();
    let mut queue = Queue::new(ours.split().0);
    INNER.set(Some(inner.split().0));
    let outer = |number| Outer::Outer { before: number, eager: Eager { number }, after: number };
    for number in 1..100 {
        queue.push(&outer(number)).unwrap();
        let eager = Eager { number: u64::MAX };
        let panics = Outer::Outer { before: 0, eager, after: 0 };
        panic::catch_unwind(AssertUnwindSafe(|| queue.push(&panics))).expect_err("a panic");
        queue.flush().unwrap();
        assert_eq!((next(&mut inner_theirs), next(&mut inner_theirs)), (Some(number), Some(0)));
        let frame = theirs.recv().unwrap().expect("a frame");
        let [tag, rest @ ..] = frame.bytes() else { panic!() };
        assert_eq!((*tag, rest), (1, [number as u8; 3].as_slice()));
    }
}
