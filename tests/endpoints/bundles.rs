//! Messages that are sent together: in order, counted, and none lost or doubled whatever stops them.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Message, Queue, RecvError, SendAllError, SendError};
use datagrammar_tests::{InMode as _, Random, seed};
use serde::ser::{Error as _, Serialize, Serializer};

pub(super) type Ours = Connection<Any<'static>, Any<'static>>;

/// Messages that go in every way.
#[derive(Message, Debug)]
pub(super) enum Any<'a> {
    #[message(tag = 1)]
    Plain {
        number: u64,
        #[message(rest)]
        body: &'a [u8],
    },
    #[message(tag = 2)]
    File {
        number: u64,
        #[message(fd)]
        file: OwnedFd,
    },
    #[message(tag = 3)]
    Refused { number: u64, refused: Refused },
}

/// What cannot be encoded.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Refused;

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no"))
    }
}

static BODY: [u8; 400_000] = [7; 400_000];

pub(super) fn plain(number: u64, len: usize) -> Any<'static> {
    Any::Plain { number, body: &BODY[..len] }
}

fn file(number: u64) -> Any<'static> {
    Any::File { number, file: File::open("/proc/version").unwrap().into() }
}

/// `count` small ones, with numbers of their own.
pub(super) fn small(count: u64) -> Vec<Any<'static>> {
    (0..count).map(|number| plain(number, number as usize % 100)).collect()
}

/// Small ones, some that are sent from where they lie, some with descriptors, and some too large for a
/// datagram.
pub(super) fn mixed(random: &mut Random, count: u64) -> Vec<Any<'static>> {
    let one = |number| match random.below(20) {
        0 => plain(number, 400_000),
        1 | 2 => plain(number, 4090 + random.below(20) as usize),
        3 => plain(number, random.below(20_000) as usize),
        4 => file(number),
        _ => plain(number, random.below(200) as usize),
    };
    (0..count).map(one).collect()
}

/// The number of the next message, which is checked; `None` at the end, and if nothing is there.
pub(super) fn next(ours: &mut Ours) -> Option<u64> {
    let frame = match ours.try_recv() {
        Err(RecvError::WouldBlock) => return None,
        frame => frame.unwrap()?,
    };
    Some(number(frame.decode().unwrap()))
}

pub(super) fn number(message: Any<'_>) -> u64 {
    match message {
        Any::Plain { number, body } => {
            assert!(body.iter().all(|&byte| byte == 7), "message {number} is damaged");
            number
        }
        Any::File { number, file } => {
            assert!(File::from(file).metadata().is_ok());
            number
        }
        Any::Refused { number, .. } => panic!("message {number} could be encoded"),
    }
}

/// Expects these messages, waiting for them, and nothing after them.
pub(super) fn expect(ours: &mut Ours, numbers: impl IntoIterator<Item = u64>) {
    for expected in numbers {
        let frame = ours.recv().unwrap().expect("a frame");
        assert_eq!(number(frame.decode().unwrap()), expected);
    }
    assert_eq!(next(ours), None);
}

#[test]
fn all_arrive_in_order_whatever_they_are() {
    let mut random = Random(seed());
    for count in [0, 1, 2, 31, 32, 33, 200] {
        let messages = mixed(&mut random, count);
        let (ours, mut theirs) = Ours::pair().unwrap().in_mode();
        let (mut sender, _receiver) = ours.split();
        thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(sender.send_all(&messages).unwrap(), count as usize);
                let far = Instant::now() + Duration::from_secs(60);
                assert_eq!(sender.send_all_deadline(&messages, far).unwrap(), count as usize);
            });
            expect(&mut theirs, (0..count).chain(0..count));
        });
    }
}

#[test]
fn what_was_not_sent_is_sent_by_going_on_from_there() {
    let messages = small(2000);
    for batch in [1, 10, 1000] {
        let (ours, mut theirs) = Ours::pair().unwrap().in_mode();
        let (mut sender, _receiver) = ours.split();
        let (mut left, mut expected) = (&messages[..], 0..2000);
        while !left.is_empty() {
            let sent = match sender.try_send_all(left) {
                Ok(sent) => sent,
                Err(SendAllError { sent, error: SendError::WouldBlock { .. }, .. }) => sent,
                Err(other) => panic!("{other:?}"),
            };
            left = &left[sent..];
            for _ in 0..batch {
                let Some(number) = next(&mut theirs) else { break };
                assert_eq!(Some(number), expected.next());
            }
        }
        expect(&mut theirs, expected);
    }
}

#[test]
fn a_deadline_tells_how_many_were_sent_by_then() {
    let messages = small(2000);
    let (ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let (mut sender, _receiver) = ours.split();
    let soon = Instant::now() + Duration::from_millis(20);
    let stopped = sender.send_all_deadline(&messages, soon).unwrap_err();
    assert!(matches!(stopped.error, SendError::TimedOut { .. }), "{stopped:?}");
    expect(&mut theirs, 0..stopped.sent as u64);
    // That is over, and sends no more than there is room for.
    let stopped = sender.send_all_deadline(&messages, soon).unwrap_err();
    assert!(matches!(stopped.error, SendError::TimedOut { .. }), "{stopped:?}");
    expect(&mut theirs, 0..stopped.sent as u64);
}

#[test]
fn one_that_cannot_be_sent_stops_after_those_before_it() {
    type Check = fn(&SendError) -> bool;
    let obstacles: [(fn() -> Any<'static>, Check); 2] = [
        (
            || Any::Refused { number: 9999, refused: Refused },
            |error| matches!(error, SendError::Encode(_)),
        ),
        // Half of it could not be taken back.
        (|| plain(9999, 400_000), |error| matches!(error, SendError::TooLarge { .. })),
    ];
    for (obstacle, check) in obstacles {
        for at in (0..70).step_by(3) {
            let mut messages = small(70);
            messages.insert(at, obstacle());
            let (ours, mut theirs) = Ours::pair().unwrap().in_mode();
            let (mut sender, _receiver) = ours.split();
            let stopped = sender.try_send_all(&messages).unwrap_err();
            assert!(check(&stopped.error), "{stopped:?}");
            assert_eq!(stopped.sent, at);
            expect(&mut theirs, 0..at as u64);
            assert_eq!(sender.try_send_all(&messages[at + 1..]).unwrap(), 70 - at);
            expect(&mut theirs, at as u64..70);
        }
    }
}

#[test]
fn a_peer_that_goes_has_received_no_more_than_was_sent() {
    let messages = small(5000);
    for received in [0, 1, 31, 32, 33, 500] {
        let (ours, mut theirs) = Ours::pair().unwrap().in_mode();
        let (mut sender, _receiver) = ours.split();
        thread::scope(|scope| {
            let sending = scope.spawn(|| sender.send_all(&messages).unwrap_err());
            for number in 0..received {
                let frame = theirs.recv().unwrap().expect("a frame");
                assert_eq!(self::number(frame.decode().unwrap()), number);
            }
            drop(theirs);
            let stopped = sending.join().unwrap();
            assert!(matches!(stopped.error, SendError::Disconnected), "{stopped:?}");
            assert!(stopped.sent as u64 >= received && stopped.sent < 5000);
        });
    }
}

#[test]
fn senders_of_several_threads_keep_their_order_and_large_frames_are_not_mixed() {
    const EACH: u64 = 300;
    let (ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let (sender, _receiver) = ours.split();
    let mut random = Random(seed());
    thread::scope(|scope| {
        for thread in 0..4 {
            let mut sender = sender.clone();
            let mut messages = mixed(&mut random, EACH);
            for message in &mut messages {
                let (Any::Plain { number, .. }
                | Any::File { number, .. }
                | Any::Refused { number, .. }) = message;
                *number += thread * EACH;
            }
            scope.spawn(move || match thread {
                0 | 1 => assert_eq!(sender.send_all(&messages).unwrap(), messages.len()),
                2 => {
                    let mut queue = Queue::new(sender);
                    for message in &messages {
                        queue.push(message).unwrap();
                    }
                    queue.flush().unwrap();
                }
                _ => {
                    for message in &messages {
                        sender.send(message).unwrap();
                    }
                }
            });
        }
        let mut expected = [0, 1, 2, 3].map(|thread| thread * EACH..(thread + 1) * EACH);
        for _ in 0..4 * EACH {
            let frame = theirs.recv().unwrap().expect("a frame");
            let number = number(frame.decode().unwrap());
            assert_eq!(expected[(number / EACH) as usize].next(), Some(number));
        }
    });
}
