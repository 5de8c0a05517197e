//! Edge-triggered pollers: a call returns `WouldBlock` only if the kernel did, because otherwise no event would report
//! the remaining frames. And calls that end, whatever a peer sends.

use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Limits, RecvError, SendError, Wait, to_vec};
use datagrammar_tests::datagrams::{piece, pieces};
use datagrammar_tests::{InMode as _, Numbered, Random, body, numbered, raw, seed};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::SocketType;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// An edge-triggered poller of one descriptor.
struct Edges(OwnedFd);

impl Edges {
    fn of(fd: impl AsFd) -> Self {
        let poller = epoll::create(CreateFlags::CLOEXEC).unwrap();
        let events = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&poller, fd, EventData::new_u64(0), events).unwrap();
        Self(poller)
    }

    /// Waits for a change of the descriptor that `events` selects.
    fn wait(&self, events: EventFlags) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no edge comes: a call gave up where the kernel had more");
            let left = Timespec::try_from(left).unwrap();
            let mut list = Vec::with_capacity(1);
            match epoll::wait(&self.0, spare_capacity(&mut list), Some(&left)) {
                // The process was stopped for a while (signal(7)).
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => panic!("{error}"),
            }
            if list.iter().any(|&Event { flags, .. }| flags.intersects(events)) {
                return;
            }
        }
    }
}

#[test]
fn h54_a_frame_in_many_queued_pieces_comes_to_an_edge_triggered_poller() {
    for count in [100, 129, 200, 250] {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap().in_mode();
        let edges = Edges::of(&ours);
        let frame = numbered(7, count - 3, |frame| to_vec(frame)).unwrap();
        // All datagrams, before the first poll.
        for datagram in pieces(7, &frame, 1) {
            raw::send(&theirs, &datagram).unwrap();
        }
        edges.wait(EventFlags::IN);
        let received =
            ours.try_recv().map(|frame| frame.expect("a frame").decode().unwrap().check());
        assert_eq!(received.unwrap(), 7, "{count} pieces");
    }
}

#[test]
fn h54_frames_in_small_pieces_come_to_an_edge_triggered_poller_while_they_are_sent() {
    let mut random = Random(seed());
    let lens: Vec<_> = (0..20).map(|_| random.below(20_000) as usize).collect();
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let ours = Ours::adopt(ours).unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| {
            for (&len, number) in lens.iter().zip(0..) {
                let frame = numbered(number, len, |frame| to_vec(frame)).unwrap();
                for datagram in pieces(7, &frame, 3) {
                    raw::send(&theirs, &datagram).unwrap();
                }
            }
            // No more datagrams come, and no edge either, until all are received.
            thread::sleep(Duration::from_millis(50));
        });
        // Dropped if this fails, so that the peer does not wait for room.
        let mut ours = ours;
        let edges = Edges::of(&ours);
        let mut unfinished = 0;
        for number in 0..lens.len() as u64 {
            loop {
                match ours.try_recv() {
                    Ok(frame) => {
                        break assert_eq!(frame.unwrap().decode().unwrap().check(), number);
                    }
                    Err(RecvError::WouldBlock) => edges.wait(EventFlags::IN),
                    Err(RecvError::Unfinished { received, total }) => {
                        assert!(0 < received && received < total);
                        unfinished += 1;
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
        assert!(unfinished < 6 * lens.len(), "{unfinished} times");
    });
}

#[test]
fn h44_what_is_tried_always_goes_on_at_an_edge() {
    // Of any length, in any order, with a receiver that stops in between.
    let mut random = Random(seed());
    for round in 0..30 {
        let lens: Vec<_> = (0..60)
            .map(|_| match random.below(6) {
                0 => 200_000 + random.below(3_000_000) as usize,
                1 => 163_504 + random.below(60_000) as usize,
                _ => random.below(40_000) as usize,
            })
            .collect();
        let (theirs, mut ours) = Ours::pair().unwrap().in_mode();
        thread::scope(|scope| {
            let receiving = scope.spawn(|| {
                let mut random = Random(round);
                for (&len, number) in lens.iter().zip(0..) {
                    let message = ours.recv().unwrap().expect("a frame").decode().unwrap();
                    assert_eq!(message.check(), number);
                    let Numbered::Numbered { body, .. } = message;
                    assert_eq!(body.len(), len);
                    if random.below(10) == 0 {
                        thread::sleep(Duration::from_micros(random.below(500)));
                    }
                }
            });
            // Dropped if this fails, so that the other side does not wait for more.
            let mut theirs = theirs;
            let edges = Edges::of(&theirs);
            for (&len, number) in lens.iter().zip(0..) {
                let body = body(number, len);
                let message = Numbered::Numbered { number, len: len as u64, body: &body };
                loop {
                    let sent = match number % 5 {
                        0 => theirs
                            .tx
                            .send_all([&message], Wait::Try)
                            .map_err(|stopped| stopped.error),
                        _ => theirs.try_send(&message),
                    };
                    match sent {
                        Ok(_) => break,
                        Err(SendError::WouldBlock { .. }) => edges.wait(EventFlags::OUT),
                        Err(other) => panic!("{other:?}"),
                    }
                }
            }
            while theirs.tx.pending() > 0 {
                match theirs.tx.flush(Wait::Try) {
                    Ok(()) => assert_eq!(theirs.tx.pending(), 0),
                    Err(SendError::WouldBlock { .. }) => edges.wait(EventFlags::OUT),
                    Err(other) => panic!("{other:?}"),
                }
            }
            receiving.join().unwrap();
        });
    }
}

#[test]
fn h44_bundles_and_large_frames_that_are_tried_go_on_at_an_edge() {
    const FRAMES: u64 = 20_000;
    let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
    let bodies: Vec<_> = (0..FRAMES)
        .map(|number| body(number, if number % 500 == 0 { 700_000 } else { number as usize % 100 }))
        .collect();
    let messages: Vec<_> = (0..)
        .zip(&bodies)
        .map(|(number, body)| Numbered::Numbered { number, len: body.len() as u64, body })
        .collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            let edges = Edges::of(&theirs);
            let mut left = &messages[..];
            while !left.is_empty() {
                match theirs.tx.send_all(left, Wait::Try) {
                    Ok(sent) => left = &left[sent..],
                    Err(stopped) => {
                        assert!(
                            matches!(stopped.error, SendError::WouldBlock { .. }),
                            "{stopped:?}"
                        );
                        left = &left[stopped.sent..];
                        edges.wait(EventFlags::OUT);
                    }
                }
            }
            theirs.tx.flush(Wait::Block).unwrap();
            assert_eq!(theirs.tx.pending(), 0);
        });
        // Dropped if this fails, so that the peer does not wait for room.
        let mut ours = ours;
        let edges = Edges::of(&ours);
        for number in 0..FRAMES {
            loop {
                match ours.try_recv() {
                    Ok(frame) => {
                        break assert_eq!(frame.unwrap().decode().unwrap().check(), number);
                    }
                    Err(RecvError::WouldBlock) => edges.wait(EventFlags::IN),
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    });
}

/// Lets a peer send `datagrams` repeatedly until the receiver is gone, while `ours` receives.
fn while_sent_without_end(datagrams: &[Vec<u8>], receive: impl FnOnce(&mut Ours)) {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    ours.rx.set_limits(Limits::default().frame_len(usize::MAX));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| while datagrams.iter().all(|one| raw::send(&theirs, one).is_ok()) {});
        }
        receive(&mut ours);
        drop(ours);
    });
}

#[test]
fn h54_what_comes_without_end_and_is_no_frame_does_not_hold_a_call_that_ends() {
    // Pieces of no frame: the first is an error, and the others are dropped, with an error from time to time.
    while_sent_without_end(&[piece(2, 0, &[7])], |ours| {
        assert!(matches!(ours.recv(), Err(RecvError::BadFragment(_))));
        for _ in 0..20 {
            let soon = Instant::now() + Duration::from_millis(1);
            for result in
                [ours.recv_deadline(soon).map(drop), ours.rx.peek_len(Wait::Until(soon)).map(drop)]
            {
                let ended = matches!(result, Err(RecvError::TimedOut | RecvError::BadFragment(_)));
                assert!(ended, "{result:?}");
            }
            for result in [ours.try_recv().map(drop), ours.rx.peek_len(Wait::Try).map(drop)] {
                let ended =
                    matches!(result, Err(RecvError::WouldBlock | RecvError::BadFragment(_)));
                assert!(ended, "{result:?}");
            }
        }
    });
    // Frames that repeatedly begin and end at once.
    while_sent_without_end(&[piece(1, 100, &[7])], |ours| {
        for _ in 0..20 {
            let soon = Instant::now() + Duration::from_millis(1);
            let result = ours.recv_deadline(soon).map(drop);
            let ended = matches!(result, Err(RecvError::TimedOut | RecvError::Incomplete { .. }));
            assert!(ended, "{result:?}");
        }
    });
}

#[test]
fn h54_a_frame_in_pieces_without_end_does_not_hold_a_call_that_ends() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    ours.rx.set_limits(Limits::default().frame_len(usize::MAX));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = 0;
            let first = piece(1, 1 << 40, &[7]);
            let mut sent = raw::send(&theirs, &first);
            while sent.is_ok() {
                at += 1;
                sent = raw::send(&theirs, &piece(2, at, &[7]));
            }
        });
        let mut before = 0;
        for _ in 0..50 {
            let soon = Instant::now() + Duration::from_millis(1);
            for wait in [Wait::Try, Wait::Until(soon)] {
                match ours.rx.recv_owned(wait) {
                    Err(RecvError::Unfinished { received, total: 0x100_0000_0000 }) => {
                        // The pieces that have arrived are kept.
                        assert!(received > before, "{received} after {before}");
                        before = received;
                    }
                    Err(RecvError::WouldBlock | RecvError::TimedOut) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        drop(ours);
    });
}
