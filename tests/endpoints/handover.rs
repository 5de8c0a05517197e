//! A connection that is given up with frames that have been taken from its socket and not been received.

use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, RecvError};
use datagrammar_tests::{InMode as _, Numbered, is_one_frame, limits, numbered, raw};
use rustix::net::SocketType;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// What has been taken, and after it what is still there.
fn all_of(ours: Ours) -> (usize, Vec<Vec<u8>>) {
    let (fd, mut datagrams) = ours.into_fd().unwrap();
    let untaken = datagrams.len();
    datagrams.extend(queued(fd));
    (untaken, datagrams)
}

/// The frames that come through a descriptor.
fn queued(fd: OwnedFd) -> Vec<Vec<u8>> {
    let mut ours = Ours::adopt(fd).unwrap();
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = ours.try_recv() {
        frames.push(frame.bytes().to_vec());
    }
    frames
}

fn frame(number: u64, len: usize) -> Vec<u8> {
    numbered(number, len, |frame| datagrammar::to_vec(frame)).unwrap()
}

fn piece(kind: u8, place: u64, bytes: &[u8]) -> Vec<u8> {
    [&[0, kind, 7, 0, 0, 0][..], &place.to_le_bytes(), bytes].concat()
}

#[test]
fn what_was_taken_and_not_received_goes_with_the_descriptor() {
    for sent in 0..=40 {
        for received in 0..=sent {
            let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
            for number in 0..sent {
                numbered(number, 10, |frame| theirs.send(frame)).unwrap();
            }
            let mut left = received as usize;
            while left > 0 {
                left -= ours.recv_batch().unwrap().expect("frames").take(left).count();
            }
            let (untaken, frames) = all_of(ours);
            let expected: Vec<_> = (received..sent).map(|number| frame(number, 10)).collect();
            assert_eq!(frames, expected, "{received} of {sent}");
            assert!(untaken == 0 || !is_one_frame());
        }
    }
}

#[test]
fn the_halves_of_a_frame_in_pieces_are_put_together_by_who_goes_on() {
    let (first, second) = (frame(1, 10), frame(2, 10));
    let (one, other) = second.split_at(5);
    for taken in [false, true] {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap().in_mode();
        raw::send(&theirs, &first).unwrap();
        raw::send(&theirs, &piece(1, second.len() as u64, one)).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), first);
        if taken {
            assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
        }
        let (fd, untaken) = ours.into_fd().unwrap();
        assert_eq!(untaken.len(), usize::from(taken));

        // Whoever goes on sees what was taken, what is there, and what comes.
        let (relay, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap().in_mode();
        raw::send(&theirs, &piece(2, one.len() as u64, other)).unwrap();
        for datagram in untaken {
            raw::send(&relay, &datagram).unwrap();
        }
        let mut buffer = [0; 100];
        for _ in usize::from(taken)..2 {
            let flags = rustix::net::RecvFlags::DONTWAIT;
            let (len, _) = rustix::net::recv(&fd, &mut buffer[..], flags).unwrap();
            raw::send(&relay, &buffer[..len]).unwrap();
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), second);
    }
}

#[test]
fn a_large_frame_that_was_left_in_a_batch_goes_with_the_descriptor() {
    let (first, second) = (frame(1, 1_000_000), frame(2, 10));
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| {
            numbered(1, 1_000_000, |frame| theirs.send(frame)).unwrap();
            numbered(2, 10, |frame| theirs.send(frame)).unwrap();
        });
        for _ in 0..3 {
            assert_eq!(ours.recv_batch().unwrap().expect("a frame").len(), 1);
            assert_eq!(ours.peek_len().unwrap(), Some(first.len()));
        }
    });
    let (untaken, frames) = all_of(ours);
    assert_eq!(untaken, 1);
    assert!(frames == [first, second], "other frames");
}

#[test]
fn h06_no_cut_frame_goes_with_the_descriptor() {
    // Longer than the limit by more or less than what may be needed of a piece.
    for len in [101, 110, 200, 5000] {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap();
        ours.set_limits(limits().frame_len(100));
        let long = vec![1; len];
        for datagram in [&[1; 4][..], &[1; 5], &long, &[1; 6]] {
            raw::send(&theirs, datagram).unwrap();
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").len(), 4);
        assert!(ours.recv_batch().unwrap().is_some());
        let (_, mut frames) = all_of(ours);
        // It may be dropped, or be there, whole.
        frames.retain(|frame| frame.len() < 100 || *frame != long);
        assert_eq!(frames, [vec![1; 5], vec![1; 6]]);
    }
}

#[test]
fn a_connection_that_is_handed_over_at_every_point_loses_nothing() {
    // Short ones, long ones, and some in pieces, of which a part has come when the connection is handed over.
    let lens: Vec<usize> = (0..60).map(|at| [10, 3000, 20, 50_000, 500_000, 1][at % 6]).collect();
    let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| {
            for (&len, number) in lens.iter().zip(0..) {
                numbered(number, len, |frame| theirs.send(frame)).unwrap();
            }
        });
        let mut ours = Some(ours);
        let mut handed_over = 0;
        for number in 0..lens.len() as u64 {
            loop {
                let (fd, untaken) = ours.take().unwrap().into_fd().unwrap();
                handed_over += untaken.len();
                let next = ours.insert(Ours::adopt_with(fd, untaken).unwrap().in_mode());
                // In every form by turns. One that finds nothing may have found a part of a large frame.
                let soon = Instant::now() + Duration::from_millis(1);
                let received = match (number + handed_over as u64) % 3 {
                    0 => next.try_recv(),
                    1 => next.recv_deadline(soon),
                    _ => next.recv(),
                };
                let received =
                    received.map(|frame| frame.map(|frame| frame.decode().unwrap().check()));
                match received {
                    Ok(came) => {
                        assert_eq!(came, Some(number));
                        break;
                    }
                    Err(RecvError::WouldBlock | RecvError::TimedOut) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
        println!("{handed_over} datagrams were handed over");
    });
}

#[test]
fn what_is_handed_over_is_received_under_the_limit_and_seen_by_a_peek() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let rest = frame(3, 40);
    let untaken = vec![frame(1, 10), frame(2, 100), piece(1, rest.len() as u64, &rest[..9])];
    let mut ours = Ours::adopt_with(ours, untaken).unwrap().in_mode();
    ours.set_limits(limits().frame_len(50));
    raw::send(&theirs, &piece(2, 9, &rest[9..])).unwrap();
    assert_eq!(ours.peek_len().unwrap(), Some(frame(1, 10).len()));
    assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), frame(1, 10));
    assert!(matches!(ours.recv(), Err(RecvError::TooLarge { limit: 50, .. })));
    assert_eq!(ours.peek_len().unwrap(), Some(rest.len()));
    assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), rest);
    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
}
