//! In steady state, nothing is allocated: not for sending, not for receiving, and not for decoding messages that borrow.
//! Tests take turns, because all tests of a process share its lanes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod limits;

use std::fs::File;
use std::os::fd::OwnedFd;

use allocation_counter::measure;
use datagrammar::{
    Batch, Connection, Limits, Message, OwnedFrame, RecvError, Socket, Unknown, Wait,
};
use datagrammar_tests::{Directory, InMode as _, Numbered, alone, body, is_awaited, numbered};

type Connected = Connection<Numbered<'static>, Numbered<'static>>;

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

/// One of each kind, with contents below and above the length from which they are sent without a copy.
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
fn all_tests_pass_eagerly() {
    datagrammar_tests::pass_eagerly();
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
                // And in the other direction.
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

#[derive(Message)]
#[message(tag = 1)]
struct Hand {
    #[message(fd)]
    over: OwnedFd,
}

#[test]
fn a_descriptor_allocates_nothing_after_the_first() {
    let _alone = alone();
    let (mut theirs, mut ours) = Connection::<Hand, Hand>::pair().unwrap().in_mode();
    let mut hand = Some(Hand { over: File::open("/dev/null").unwrap().into() });
    let mut round = || {
        theirs.send(hand.as_ref().unwrap()).unwrap();
        hand = Some(ours.recv().unwrap().expect("a frame").decode().unwrap());
    };
    round();
    let after = measure(|| (0..100).for_each(|_| round()));
    assert_eq!(after.count_total, 0, "{after:?}");
}

#[test]
fn a_kept_frame_is_one_allocation_of_its_length() {
    let _alone = alone();
    let (mut theirs, mut ours) = Connected::pair().unwrap().in_mode();
    // The memory of dropped frames is reused.
    let mut all = Vec::new();
    let mut receive = |len: usize, bundled: bool, borrowed: bool| {
        let sent = numbered(7, len, |frame| match bundled {
            true => theirs.tx.send_all([frame, frame], Wait::Block).map(|_| len + overhead(len)),
            false => Ok(theirs.send(frame).unwrap()),
        });
        let sent = sent.unwrap();
        let mut owned = None;
        let received = measure(|| {
            owned = match borrowed {
                true => Some(ours.recv().unwrap().expect("a frame").into_owned()),
                false => ours.rx.recv_owned(Wait::Block).unwrap(),
            };
        });
        let mut owned = owned.unwrap();
        assert_eq!(owned.decode().unwrap().check(), 7);
        all.push(owned);
        if bundled {
            ours.recv().unwrap().expect("a frame");
        }
        (sent, received)
    };
    receive(10, false, false);
    for borrowed in [false, true] {
        for (len, bundled) in
            [(1, false), (100, true), (5_000, false), (5_000, true), (150_000, false)]
        {
            if is_awaited() && len < 512 && (bundled || borrowed) {
                // The frame is copied to memory that the receiver keeps, because the receiver may not be polled again
                // for long.
                continue;
            }
            let (sent, received) = receive(len, bundled, borrowed);
            assert_eq!(received.count_total, 1, "{len}, {bundled}: {received:?}");
            // A byte vector that grows has room for at least eight bytes.
            let fits = (sent..=sent.max(8)).contains(&(received.bytes_total as usize));
            assert!(fits, "{len}, {bundled}: {received:?} for {sent}");
        }
    }
}

#[test]
fn frames_that_are_kept_and_dropped_in_turn_allocate_nothing() {
    let _alone = alone();
    let (mut theirs, mut ours) = Connected::pair().unwrap().in_mode();
    let mut round = || {
        for len in [1, 100, 4_000] {
            numbered(7, len, |frame| {
                theirs.send(frame)?;
                theirs.tx.send_all([frame, frame], Wait::Block).map_err(|stopped| stopped.error)
            })
            .unwrap();
            let kept = [(); 2].map(|()| ours.rx.recv_owned(Wait::Block).unwrap().expect("a frame"));
            let copied = ours.recv().unwrap().expect("a frame").into_owned();
            for mut frame in kept.into_iter().chain([copied]) {
                assert_eq!(frame.decode().unwrap().check(), 7);
            }
        }
    };
    (0..10).for_each(|_| round());
    // Except for the bodies that are sent.
    let sent = measure(|| [1, 100, 4_000].into_iter().for_each(|len| drop(body(7, len))));
    let after = measure(round);
    assert_eq!(after.count_total, sent.count_total, "{after:?}");
}

/// How much longer a frame is than its body.
fn overhead(len: usize) -> usize {
    numbered(7, len, |frame| datagrammar::to_vec(frame)).unwrap().len() - len
}

#[test]
fn a_large_frame_that_is_kept_is_the_memory_in_which_it_was_put_together() {
    const LEN: usize = 4_000_000;
    let _alone = alone();
    let receive = |receive: fn(&mut Connected)| {
        let (mut theirs, mut ours) = Connected::pair().unwrap().in_mode();
        std::thread::scope(|scope| {
            scope.spawn(|| numbered(7, LEN, |frame| theirs.send(frame)).unwrap());
            measure(|| receive(&mut ours)).bytes_total
        })
    };
    // One-time allocations do not count.
    receive(|ours| drop(ours.recv().unwrap().expect("a frame").into_owned()));
    let lent = receive(|ours| {
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
    });
    let kept = receive(|ours| {
        let mut frame = ours.rx.recv_owned(Wait::Block).unwrap().expect("a frame");
        assert_eq!(frame.decode().unwrap().check(), 7);
    });
    let copied = receive(|ours| {
        let mut frame = ours.recv().unwrap().expect("a frame").into_owned();
        assert_eq!(frame.decode().unwrap().check(), 7);
    });
    assert!(lent > LEN as u64, "the measure measures nothing");
    assert!(kept <= lent + 1000, "{kept} bytes to keep it, {lent} to lend it");
    assert!(copied > lent + LEN as u64, "{copied} bytes to copy it, {lent} to lend it");
}

#[test]
fn what_is_dropped_takes_no_memory() {
    let _alone = alone();
    let (mut theirs, mut ours) = Connected::pair().unwrap().in_mode();
    ours.rx.set_limits(Limits::default().frame_len(1000));
    let mut round = || {
        for len in [10, 100_000, 10] {
            numbered(7, len, |frame| theirs.send(frame)).unwrap();
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
        let error = ours.recv().unwrap_err();
        assert!(matches!(error, RecvError::TooLarge { limit: 1000, .. }), "{error:?}");
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
    };
    round();
    // Except for the body that is sent.
    let sent = measure(|| drop(body(7, 100_000))).bytes_total;
    let dropped = measure(|| (0..10).for_each(|_| round()));
    assert!(dropped.bytes_total <= 10 * (sent + 1000), "{dropped:?}");
}

#[test]
fn bundles_allocate_nothing_after_the_first() {
    let _alone = alone();
    let (mut theirs, mut ours) = Connected::pair().unwrap().in_mode();
    let (batched, mut others) = Connected::pair().unwrap().in_mode();
    let mut batch = Batch::new(batched.tx);
    let body = [7; 100];
    let frames: [Numbered<'_>; 40] =
        std::array::from_fn(|_| Numbered::Numbered { number: 7, len: 100, body: &body });
    let receive = |ours: &mut Connected| {
        for at in 0..frames.len() {
            let frame = match at % 2 {
                0 => ours.recv(),
                _ => ours.try_recv(),
            };
            assert_eq!(frame.unwrap().expect("a frame").decode().unwrap().check(), 7);
        }
        assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    };
    let mut flood = |rounds: usize| {
        for _ in 0..rounds {
            theirs.tx.send_all(&frames, Wait::Block).unwrap();
            receive(&mut ours);
            for frame in &frames {
                theirs.try_send(frame).unwrap();
            }
            receive(&mut ours);
            for frame in &frames {
                batch.push(frame, Wait::Block).unwrap();
            }
            batch.flush(Wait::Block).unwrap();
            receive(&mut others);
        }
    };
    // So many that awaited connections end their registrations: the reactor keeps a list of these.
    flood(60);
    let after = measure(|| flood(100));
    assert_eq!(after.count_total, 0, "{after:?}");
}

#[test]
fn bundles_to_an_address_allocate_nothing_after_the_first() {
    let _alone = alone();
    type Ours = Socket<Numbered<'static>, Numbered<'static>>;
    let directory = Directory::new();
    let body = [7; 100];
    let frames: [Numbered<'_>; 40] =
        std::array::from_fn(|_| Numbered::Numbered { number: 7, len: 100, body: &body });
    for address in [directory.address("socket"), "udp:127.0.0.1:0".parse().unwrap()] {
        let mut receiver = Ours::bind(&address).unwrap();
        let to = receiver.local_addr().unwrap();
        let mut sender = Ours::unbound(&to).unwrap();
        let mut flood = |rounds: usize| {
            for _ in 0..rounds {
                sender.tx.send_all_to(&frames, &to, Wait::Block).unwrap();
                for _ in 0..frames.len() {
                    let (frame, _) = receiver.recv_from().unwrap();
                    assert_eq!(frame.decode().unwrap().check(), 7);
                }
                assert!(matches!(receiver.try_recv_from(), Err(RecvError::WouldBlock)));
            }
        };
        flood(2);
        let after = measure(|| flood(100));
        assert_eq!(after.count_total, 0, "{address}: {after:?}");
    }
}

#[test]
fn a_frame_that_is_sent_to_many_is_encoded_once() {
    let _alone = alone();
    let frame = numbered(7, 1000, |frame| OwnedFrame::<Numbered<'_>>::encode(frame)).unwrap();
    let mut pairs: Vec<_> = (0..10).map(|_| Connected::pair().unwrap().in_mode()).collect();
    let mut send = |rounds: usize| {
        for _ in 0..rounds {
            for (theirs, ours) in &mut pairs {
                theirs.tx.send_frame(&frame, Wait::Block).unwrap();
                assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
            }
        }
    };
    send(1);
    let after = measure(|| send(100));
    assert_eq!(after.count_total, 0, "{after:?}");
}
