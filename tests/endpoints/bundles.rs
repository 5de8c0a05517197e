//! Messages that are sent together: in order, counted, and none lost or doubled whatever stops them.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Message, SendAllError, SendError, Sender, Socket, Wait};
use datagrammar_tests::{Directory, InMode as _, Random, raw, seed, skips};
use rustix::net::{RecvFlags, SocketType};
use serde::ser::{Serialize, Serializer};

use super::kinds::{Any, Ours, expect, file, mixed, next, number, plain, refused, small};

/// The longest bundle, in bytes, and the longest over UDP.
const MAX: usize = 65_536;
const MAX_UDP: usize = 1_232;

#[test]
fn all_arrive_in_order_whatever_they_are() {
    let mut random = Random(seed());
    for count in [0, 1, 2, 31, 32, 33, 500] {
        let messages = mixed(&mut random, count);
        let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
        thread::scope(|scope| {
            scope.spawn(|| {
                let far = Instant::now() + Duration::from_secs(60);
                for wait in [Wait::Block, Wait::Until(far)] {
                    assert_eq!(ours.tx.send_all(&messages, wait).unwrap(), count as usize);
                }
            });
            expect(&mut theirs, (0..count).chain(0..count));
        });
    }
}

/// Returns the queued datagrams and their lengths.
fn queued(theirs: &OwnedFd) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    let mut buffer = vec![0; 1 << 20];
    while let Ok((len, _)) = rustix::net::recv(theirs, &mut buffer[..], RecvFlags::DONTWAIT) {
        datagrams.push(buffer[..len].to_vec());
    }
    datagrams
}

/// Returns the number of frames of a datagram that is not a piece.
fn count(datagram: &[u8]) -> u64 {
    match *datagram {
        [0, 4, _, _, _, _, ref count @ ..] => u64::from_le_bytes(count[..8].try_into().unwrap()),
        [0, ..] => panic!("neither a frame nor a bundle"),
        _ => 1,
    }
}

#[test]
fn small_ones_share_a_datagram_and_others_go_alone_between_them() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap();
    type Expected = &'static [u64];
    // Frames of plain messages are two bytes longer than their bodies.
    let cases: [(Vec<Any<'static>>, Expected); 8] = [
        (small(100), &[100]),
        (vec![plain(0, 5)], &[1]),
        (vec![plain(0, 5), file(1), plain(2, 5), plain(3, 5)], &[1, 1, 2]),
        (vec![plain(0, 5), plain(1, 5), plain(2, 50_000), plain(3, 5)], &[2, 1, 1]),
        // The longest message that shares a bundle, and the shortest that does not.
        (vec![plain(0, 5), plain(1, 16_382), plain(2, 5)], &[3]),
        (vec![plain(0, 5), plain(1, 16_383), plain(2, 5)], &[1, 1, 1]),
        // As long as a bundle may be: a head, and three frames and one frame after their lengths.
        (vec![plain(0, 16_382), plain(1, 16_382), plain(2, 16_382), plain(3, 16_356)], &[4]),
        (vec![plain(0, 16_382), plain(1, 16_382), plain(2, 16_382), plain(3, 16_357)], &[3, 1]),
    ];
    for (messages, expected) in cases {
        let sent = ours.tx.send_all(&messages, Wait::Try).unwrap();
        assert_eq!(sent, messages.len());
        let datagrams = queued(&theirs);
        let counts: Vec<u64> = datagrams.iter().map(|datagram| count(datagram)).collect();
        assert_eq!(counts, expected, "{messages:?}");
        assert!(datagrams.iter().all(|datagram| datagram.len() <= MAX));
    }
    // Many messages take as few datagrams as they fit in.
    let messages: Vec<_> = (0..190).map(|number| plain(number, 998)).collect();
    ours.tx.send_all(&messages, Wait::Try).unwrap();
    let datagrams = queued(&theirs);
    assert_eq!(datagrams.iter().map(|datagram| count(datagram)).sum::<u64>(), 190);
    assert_eq!(datagrams.len(), 3);
    assert!(datagrams[..2].iter().all(|datagram| (MAX - 1003..=MAX).contains(&datagram.len())));
}

#[test]
fn what_was_not_sent_is_sent_by_going_on_from_there() {
    let mut random = Random(seed());
    for (messages, read) in [(small(20_000), 100), (small(20_000), 20_000)]
        .into_iter()
        .chain([(mixed(&mut random, 3000), 50)])
    {
        let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
        let (mut left, mut expected) = (&messages[..], 0..messages.len() as u64);
        let mut stops = 0;
        while !left.is_empty() {
            let sent = match ours.tx.send_all(left, Wait::Try) {
                Ok(sent) => sent,
                Err(SendAllError { sent, error: SendError::WouldBlock { .. }, .. }) => {
                    stops += 1;
                    sent
                }
                Err(other) => panic!("{other:?}"),
            };
            left = &left[sent..];
            for _ in 0..read {
                let Some(number) = next(&mut theirs) else { break };
                assert_eq!(Some(number), expected.next());
            }
        }
        assert!(stops > 3, "there was room all the time");
        thread::scope(|scope| {
            scope.spawn(|| ours.tx.flush(Wait::Block).unwrap());
            expect(&mut theirs, expected);
        });
    }
}

#[test]
fn a_deadline_tells_how_many_were_sent_by_then() {
    let messages = small(20_000);
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let begun = Instant::now();
    let soon = begun + Duration::from_millis(20);
    let stopped = ours.tx.send_all(&messages, Wait::Until(soon)).unwrap_err();
    assert!(begun.elapsed() >= Duration::from_millis(20));
    assert!(matches!(stopped.error, SendError::TimedOut { .. }), "{stopped:?}");
    assert!(stopped.sent > 0);
    expect(&mut theirs, 0..stopped.sent as u64);
    // The deadline has passed, so the call sends only as much as there is room for.
    let stopped = ours.tx.send_all(&messages, Wait::Until(soon)).unwrap_err();
    assert!(matches!(stopped.error, SendError::TimedOut { .. }), "{stopped:?}");
    expect(&mut theirs, 0..stopped.sent as u64);
}

#[test]
fn one_that_cannot_be_encoded_stops_after_those_before_it() {
    for at in 0..70 {
        let mut messages = small(70);
        messages.insert(at, refused(9999));
        let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
        let stopped = ours.tx.send_all(&messages, Wait::Try).unwrap_err();
        assert!(matches!(stopped.error, SendError::Encode(_)), "{stopped:?}");
        assert_eq!(stopped.sent, at);
        let sent = match at {
            1 => "1 message was sent".to_owned(),
            at => format!("{at} messages were sent"),
        };
        assert_eq!(stopped.to_string(), format!("{sent}, and the next one was not"));
        expect(&mut theirs, 0..at as u64);
        assert_eq!(ours.tx.send_all(&messages[at + 1..], Wait::Try).unwrap(), 70 - at);
        expect(&mut theirs, at as u64..70);
    }
}

#[test]
fn a_peer_that_goes_has_received_no_more_than_was_sent() {
    let messages = small(50_000);
    for received in [0, 1, 31, 1000, 5000] {
        let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
        thread::scope(|scope| {
            let sending = scope.spawn(|| ours.tx.send_all(&messages, Wait::Block).unwrap_err());
            for expected in 0..received {
                let frame = theirs.recv().unwrap().expect("a frame");
                assert_eq!(number(frame.decode().unwrap()), expected);
            }
            drop(theirs);
            let stopped = sending.join().unwrap();
            assert!(matches!(stopped.error, SendError::Disconnected), "{stopped:?}");
            assert!(stopped.sent as u64 >= received && stopped.sent < 50_000);
        });
    }
}

#[test]
fn to_an_address_all_arrive_in_order_whatever_they_are() {
    type Ours = Socket<Any<'static>, Any<'static>>;
    let directory = Directory::new();
    let mut random = Random(seed());
    let to = directory.address("socket");
    let mut receiver = Ours::bind(&to).unwrap();
    let mut sender = Ours::bind(&directory.address("sender")).unwrap();
    let from = sender.local_addr().unwrap();
    let messages = mixed(&mut random, 500);
    thread::scope(|scope| {
        scope.spawn(|| {
            let far = Instant::now() + Duration::from_secs(60);
            for wait in [Wait::Block, Wait::Until(far)] {
                assert_eq!(sender.tx.send_all_to(&messages, &to, wait).unwrap(), 500);
            }
        });
        for expected in (0..500).chain(0..500) {
            let (frame, name) = receiver.recv_from().unwrap();
            assert_eq!((number(frame.decode().unwrap()), name), (expected, from));
        }
        assert!(receiver.try_recv_from().is_err());
    });

    // No room, and no receiver.
    let messages = small(50_000);
    let stopped = sender.tx.send_all_to(&messages, &to, Wait::Try).unwrap_err();
    assert!(matches!(stopped.error, SendError::WouldBlock { .. }), "{stopped:?}");
    for expected in 0..stopped.sent as u64 {
        let (frame, _) = receiver.try_recv_from().unwrap();
        assert_eq!(number(frame.decode().unwrap()), expected);
    }
    assert!(receiver.try_recv_from().is_err());
    drop(receiver);
    let stopped = sender.tx.send_all_to(&messages, &to, Wait::Block).unwrap_err();
    assert!(matches!(stopped, SendAllError { sent: 0, error: SendError::Refused, .. }));
}

#[test]
fn over_udp_no_bundle_is_longer_than_every_network_carries() {
    let theirs = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    theirs.set_nonblocking(true).unwrap();
    let to = theirs.local_addr().unwrap().into();
    let mut ours = Socket::<Any<'_>, Any<'_>>::unbound(&to).unwrap();
    let mut received = |messages: &[Any<'_>]| -> Vec<(usize, u64)> {
        assert_eq!(ours.tx.send_all_to(messages, &to, Wait::Block).unwrap(), messages.len());
        let mut buffer = vec![0; 1 << 16];
        let next = || theirs.recv(&mut buffer).ok().map(|len| (len, count(&buffer[..len])));
        std::iter::from_fn(next).collect()
    };
    // A frame of 58 bytes takes 59 bytes.
    let small: Vec<_> = (0..50).map(|number| plain(number, 56)).collect();
    let len = |count: usize| (14 + 59 * count, count as u64);
    assert!(len(20).0 <= MAX_UDP && len(21).0 > MAX_UDP);
    assert_eq!(received(&small), [len(20), len(20), len(10)]);
    // A message that is longer than a bundle travels alone.
    let messages = [plain(0, 5), plain(1, 5), plain(2, 1_300), plain(3, 5)];
    assert_eq!(received(&messages), [(30, 2), (1_302, 1), (7, 1)]);
    // A message that fills a bundle shares it with no other.
    assert_eq!(received(&[plain(0, 1_213), plain(1, 5)]), [(1_215, 1), (7, 1)]);
    assert_eq!(received(&[plain(0, 5), plain(1, 1_205)]), [(MAX_UDP, 2)]);

    let stopped = ours.tx.send_all_to(&[plain(0, 5), plain(1, 70_000)], &to, Wait::Block);
    let stopped = stopped.unwrap_err();
    assert!(
        matches!(
            stopped,
            SendAllError { sent: 1, error: SendError::TooLarge { len: 70_002, .. }, .. }
        ),
        "{stopped:?}"
    );
}

thread_local! {
    static INNER: RefCell<Option<Sender<Any<'static>>>> = const { RefCell::new(None) };
}

/// A field that sends messages while it is encoded, or panics.
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
            let messages = [plain(self.number, 5000), plain(0, 10)];
            inner.as_mut().unwrap().send_all(&messages, Wait::Block).unwrap();
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
fn a_message_may_send_others_while_it_is_encoded_and_may_panic() {
    if skips("a_message_may_send_others_while_it_is_encoded_and_may_panic") {
        return;
    }
    let (mut ours, mut theirs) = Connection::<Outer, Outer>::pair().unwrap().in_mode();
    let (inner, mut inner_theirs) = Ours::pair().unwrap().in_mode();
    INNER.set(Some(inner.tx));
    let outer = |number| Outer::Outer { before: number, eager: Eager { number }, after: number };
    for number in 1..100 {
        let panics = [outer(number), outer(u64::MAX)];
        let sent = AssertUnwindSafe(|| ours.tx.send_all(&panics, Wait::Block));
        panic::catch_unwind(sent).expect_err("a panic");
        assert!(theirs.try_recv().is_err(), "a half of a bundle was sent");
        ours.tx.send_all(&[outer(number), outer(number)], Wait::Block).unwrap();
        for _ in 0..3 {
            let numbers = (next(&mut inner_theirs), next(&mut inner_theirs));
            assert_eq!(numbers, (Some(number), Some(0)));
        }
        for _ in 0..2 {
            let frame = theirs.recv().unwrap().expect("a frame");
            let [tag, rest @ ..] = frame.bytes() else { panic!() };
            assert_eq!((*tag, rest), (1, [number as u8; 3].as_slice()));
        }
    }
}
