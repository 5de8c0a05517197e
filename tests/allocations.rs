//! Steady state allocates nothing: not for sending, not for receiving, not for decoding what borrows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use allocation_counter::measure;
use datagrammar::{Connection, Message, Queue, RecvError, Socket, Unknown};
use datagrammar_tests::{Directory, InMode as _, Numbered, numbered};

type Connected = Connection<Numbered<'static>, Numbered<'static>>;

/// Lanes are the process's, and so are those of other tests.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Message, Debug)]
enum Request<'a> {
    #[message(tag = 1)]
    Ping,
    #[message(tag = 2)]
    Put {
        name: &'a str,
        size: u64,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 3)]
    Two(&'a [u8], Option<&'a [u8]>, Option<&'a str>, f64, [u8; 8]),
    #[message(other)]
    Other(Unknown<'a>),
}

/// One of each, with contents below and above what is worth sending from where it lies.
fn requests(content: &[u8]) -> [Request<'_>; 5] {
    [
        Request::Ping,
        Request::Put { name: "small", size: 10, content: content.get(..10).unwrap() },
        Request::Put { name: "large", size: content.len() as u64, content },
        Request::Two(content, content.get(..100), Some("text"), 0.5, [7; 8]),
        Request::Other(Unknown::new(77, content.get(..5000).unwrap())),
    ]
}

#[test]
fn a_connection_allocates_nothing_after_the_first_frames() {
    let _alone = alone();
    type Ours = Connection<Request<'static>, Request<'static>>;
    let (mut left, mut right) = Ours::pair().unwrap().in_mode();
    let content = vec![7; 60_000];
    let requests = requests(&content);
    let mut exchange = |rounds: usize| {
        for _ in 0..rounds {
            for request in &requests {
                left.send(request).unwrap();
                let there = right.recv().unwrap().expect("a frame").decode().unwrap();
                assert_eq!(there.tag(), request.tag());
                // And the other way.
                right.send(request).unwrap();
                let back = left.try_recv().unwrap().expect("a frame").decode().unwrap();
                assert_eq!(back.tag(), request.tag());
            }
        }
    };
    let first = measure(|| exchange(1));
    assert!(first.count_total > 0, "the measure measures nothing");
    let after = measure(|| exchange(100));
    assert_eq!(after.count_total, 0, "{after:?}");
}

#[test]
fn sockets_by_themselves_allocate_nothing_after_the_first_frames() {
    let _alone = alone();
    type Ours = Socket<Request<'static>, Request<'static>>;
    let directory = Directory::new();
    for address in [directory.address("socket"), "udp:127.0.0.1:0".parse().unwrap()] {
        let mut receiver = Ours::bind(&address).unwrap();
        let to = receiver.local_addr().unwrap();
        let mut sender = Ours::unbound(&to).unwrap();
        let content = vec![7; 20_000];
        let requests = requests(&content);
        let mut exchange = |rounds: usize| {
            for _ in 0..rounds {
                for request in &requests {
                    sender.send_to(request, &to).unwrap();
                    let (frame, _) = receiver.recv_from().unwrap();
                    assert_eq!(frame.decode().unwrap().tag(), request.tag());
                }
            }
        };
        exchange(1);
        let after = measure(|| exchange(100));
        assert_eq!(after.count_total, 0, "{address}: {after:?}");
    }
}

#[test]
fn a_frame_takes_the_pages_that_it_fills_and_no_more() {
    let _alone = alone();
    // They have the lanes that other tests have filled: some one lane, and some those for many.
    let mut others: Vec<_> = (0..16).map(|_| Connected::pair().unwrap().in_mode()).collect();
    for (at, (theirs, ours)) in others.iter_mut().enumerate() {
        // After one that has come alone, many are tried for.
        for number in 0..=at as u64 / 8 {
            numbered(number, 1, |frame| theirs.send(frame)).unwrap();
            ours.recv().unwrap().expect("a frame");
        }
    }
    let (mut theirs, mut ours) = Connected::pair().unwrap().in_mode();
    for len in [1, 100, 5_000, 150_000] {
        let sent = numbered(1, len, |frame| theirs.send(frame)).unwrap();
        let received = measure(|| {
            let frame = ours.recv().unwrap().expect("a frame");
            // A page, as on the machines that have lanes; see `Lanes::reserve` for the others.
            let pages = sent.next_multiple_of(4096);
            assert!(frame.capacity() == pages || frame.capacity() == sent, "{frame:?}");
        });
        // The pool's own notes, when it makes its first lanes.
        assert!(received.bytes_total < 1000, "{received:?}");
    }
}

#[test]
fn a_buffer_of_the_callers_grows_by_what_the_frame_takes_and_no_more() {
    let _alone = alone();
    let (mut theirs, ours) = Connected::pair().unwrap().in_mode();
    let (_, mut ours) = ours.split();
    numbered(1, 1, |frame| theirs.send(frame)).unwrap();
    ours.recv_into(&mut Vec::new()).unwrap();
    for len in [1, 100, 5_000, 150_000] {
        let sent = numbered(1, len, |frame| theirs.send(frame)).unwrap();
        let mut buffer = Vec::new();
        let received = measure(|| {
            let frame = ours.recv_into(&mut buffer).unwrap().expect("a frame");
            assert_eq!((frame.len(), frame.capacity()), (sent, sent));
        });
        assert_eq!((received.count_total, received.bytes_total), (1, sent as u64));
    }
}

#[test]
fn a_buffer_of_the_callers_does_not_grow_for_what_is_dropped() {
    let _alone = alone();
    let (mut theirs, ours) = Connected::pair().unwrap().in_mode();
    let (_, mut ours) = ours.split();
    for form in 0..2 {
        // In the second round it has been taken with others.
        for len in [10, 10, 100_000, 10] {
            numbered(7, len, |frame| theirs.send(frame)).unwrap();
        }
        ours.set_limits(datagrammar_tests::limits().frame_len(1000));
        for _ in 0..2 {
            assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
        }
        let mut buffer = Vec::new();
        let dropped = measure(|| {
            let error = ours.recv_into(&mut buffer).unwrap_err();
            assert!(matches!(error, RecvError::TooLarge { limit: 1000, .. }), "{error:?}");
        });
        // Its beginning, at most.
        assert!(dropped.bytes_total <= 2000, "{form}: {dropped:?}");
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
    }
}

#[test]
fn floods_allocate_nothing_after_the_first() {
    let _alone = alone();
    let (mut theirs, mut ours) = Connected::pair().unwrap().in_mode();
    let body = [7; 100];
    let frames: [Numbered<'_>; 40] =
        std::array::from_fn(|_| Numbered::Numbered { number: 7, len: 100, body: &body });
    let (queued, mut others) = Connected::pair().unwrap().in_mode();
    let mut queue = Queue::new(queued.split().0);
    let mut flood = |rounds: usize| {
        for round in 0..rounds {
            theirs.send_all(&frames).unwrap();
            let mut left = frames.len();
            while left > 0 && round % 2 == 0 {
                let batch = ours.recv_batch().unwrap().expect("frames");
                left -=
                    batch.map(|frame| frame.decode().unwrap().check() / 7).sum::<u64>() as usize;
            }
            for _ in 0..left {
                assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
            }
            assert!(ours.try_recv().is_err());
            for frame in &frames {
                queue.push(frame).unwrap();
            }
            queue.flush().unwrap();
            for _ in 0..frames.len() {
                assert_eq!(others.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
            }
        }
    };
    flood(2);
    let after = measure(|| flood(100));
    assert_eq!(after.count_total, 0, "{after:?}");
}
