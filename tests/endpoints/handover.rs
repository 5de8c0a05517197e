//! A connection that is handed over while datagrams were read from its socket but not received.

use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Limits, RecvError, Wait};
use datagrammar_tests::{InMode as _, Numbered, numbered, raw};
use rustix::net::SocketType;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// The frames that were read, and then those in the socket.
fn all_of(ours: Ours) -> (usize, Vec<Vec<u8>>) {
    let (fd, mut datagrams) = ours.into_fd().unwrap();
    let unread = datagrams.len();
    datagrams.extend(queued(fd));
    (unread, datagrams)
}

/// The frames that arrive through a descriptor.
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

/// A bundle of frames of up to 250 bytes.
fn bundle(frames: &[Vec<u8>]) -> Vec<u8> {
    let count = (frames.len() as u64).to_le_bytes();
    let mut bundle = [&[0, 4, 0, 0, 0, 0][..], &count].concat();
    for frame in frames {
        bundle.push(frame.len() as u8);
        bundle.extend_from_slice(frame);
    }
    bundle
}

#[test]
fn the_rest_of_a_bundle_goes_with_the_descriptor_and_nothing_else() {
    for bundled in 1..=10 {
        for received in 0..=bundled + 3 {
            let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
            let mut ours = Ours::adopt(ours).unwrap().in_mode();
            let frames: Vec<_> = (0..bundled + 3).map(|number| frame(number, 10)).collect();
            raw::send(&theirs, &bundle(&frames[..bundled as usize])).unwrap();
            for frame in &frames[bundled as usize..] {
                raw::send(&theirs, frame).unwrap();
            }
            for _ in 0..received {
                ours.recv().unwrap().expect("a frame");
            }
            let (unread, left) = all_of(ours);
            assert_eq!(left, frames[received as usize..], "{received} of {bundled}");
            let begun = (1..bundled).contains(&received);
            assert_eq!(unread as u64, if begun { bundled - received } else { 0 });
        }
    }
}

#[test]
fn the_halves_of_a_frame_in_pieces_are_put_together_by_who_goes_on() {
    let (first, second) = (frame(1, 10), frame(2, 10));
    let (one, other) = second.split_at(5);
    for read in [false, true] {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap().in_mode();
        raw::send(&theirs, &first).unwrap();
        raw::send(&theirs, &piece(1, second.len() as u64, one)).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), first);
        if read {
            assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
        }
        let (fd, unread) = ours.into_fd().unwrap();
        assert_eq!(unread.len(), usize::from(read));

        // The next owner sees the frames that were read, those in the socket, and later ones.
        let (relay, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap().in_mode();
        raw::send(&theirs, &piece(2, one.len() as u64, other)).unwrap();
        for datagram in unread {
            raw::send(&relay, &datagram).unwrap();
        }
        let mut buffer = [0; 100];
        for _ in usize::from(read)..2 {
            let flags = rustix::net::RecvFlags::DONTWAIT;
            let (len, _) = rustix::net::recv(&fd, &mut buffer[..], flags).unwrap();
            raw::send(&relay, &buffer[..len]).unwrap();
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), second);
    }
}

#[test]
fn a_frame_that_was_received_is_not_handed_over() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| {
            numbered(1, 1_000_000, |frame| theirs.send(frame)).unwrap();
            numbered(2, 10, |frame| theirs.send(frame)).unwrap();
        });
        // Peeked at, which reads nothing, and received.
        assert_eq!(ours.rx.peek_len(Wait::Block).unwrap(), Some(frame(1, 1_000_000).len()));
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
    });
    assert_eq!(all_of(ours), (0, vec![frame(2, 10)]));
}

#[test]
fn h06_no_cut_frame_goes_with_the_descriptor() {
    // Longer than the limit by a little more or less than a piece may need.
    for len in [101, 110, 200, 5000] {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap().in_mode();
        ours.rx.set_limits(Limits::default().frame_len(100));
        let long = vec![1; len];
        for datagram in [&[1; 4][..], &[1; 5], &long, &[1; 6]] {
            raw::send(&theirs, datagram).unwrap();
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").len(), 4);
        assert_eq!(all_of(ours), (0, vec![vec![1; 5], long, vec![1; 6]]));
    }
    // In a bundle, a frame over the limit is also handed over whole.
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    ours.rx.set_limits(Limits::default().frame_len(100));
    let frames = [vec![1; 4], vec![1; 200], vec![1; 6]];
    raw::send(&theirs, &bundle(&frames)).unwrap();
    assert_eq!(ours.recv().unwrap().expect("a frame").len(), 4);
    assert_eq!(all_of(ours), (2, frames[1..].to_vec()));
}

#[test]
fn a_connection_that_is_handed_over_at_every_point_loses_nothing() {
    // Short and long frames, bundles, and frames in pieces, some of which have arrived when the connection is handed
    // over.
    let lens: Vec<usize> = (0..120).map(|at| [10, 3000, 20, 50_000, 500_000, 1][at % 6]).collect();
    let bodies: Vec<_> =
        lens.iter().zip(0..).map(|(&len, number)| datagrammar_tests::body(number, len)).collect();
    let messages: Vec<_> = bodies
        .iter()
        .zip(0..)
        .map(|(body, number)| Numbered::Numbered { number, len: body.len() as u64, body })
        .collect();
    let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| {
            for messages in messages.chunks(7) {
                theirs.tx.send_all(messages, Wait::Block).unwrap();
            }
        });
        let mut ours = Some(ours);
        let mut handed_over = 0;
        for number in 0..lens.len() as u64 {
            loop {
                let (fd, unread) = ours.take().unwrap().into_fd().unwrap();
                handed_over += unread.len();
                let next = ours.insert(Ours::adopt(fd).unwrap().in_mode());
                next.rx.restore(unread);
                // In every form in turn. A form that finds no frame may have found a part of a large one.
                let soon = Instant::now() + Duration::from_millis(1);
                let received = match (number + handed_over as u64) % 4 {
                    0 => next.try_recv(),
                    1 => next.recv_deadline(soon),
                    2 => next.rx.peek_len(Wait::Try).and_then(|_| next.try_recv()),
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
        assert!(handed_over > 20);
    });
}

#[test]
fn what_is_handed_over_is_received_under_the_limit_and_seen_by_a_peek() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let rest = frame(3, 40);
    let both = bundle(&[frame(4, 1), frame(5, 2)]);
    let first = piece(1, rest.len() as u64, &rest[..9]);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    ours.rx.restore(vec![frame(1, 10), both]);
    ours.rx.restore(vec![frame(2, 100), first]);
    ours.rx.set_limits(Limits::default().frame_len(50));
    raw::send(&theirs, &piece(2, 9, &rest[9..])).unwrap();
    for expected in [frame(1, 10), frame(4, 1), frame(5, 2)] {
        assert_eq!(ours.rx.peek_len(Wait::Block).unwrap(), Some(expected.len()));
        assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), expected);
    }
    assert!(matches!(ours.recv(), Err(RecvError::TooLarge { limit: 50, .. })));
    assert_eq!(ours.rx.peek_len(Wait::Block).unwrap(), Some(rest.len()));
    assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), rest);
    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
}

#[test]
fn what_was_restored_is_handed_over_again() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    let frames: Vec<_> = (0..6).map(|number| frame(number, 10)).collect();
    ours.rx.restore(vec![bundle(&frames[..3]), frames[3].clone(), Vec::new(), frames[4].clone()]);
    raw::send(&theirs, &frames[5]).unwrap();
    assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), frames[0]);
    let (fd, unread) = ours.into_fd().unwrap();
    assert_eq!(unread, frames[1..5]);
    let mut ours = Ours::adopt(fd).unwrap().in_mode();
    ours.rx.restore(unread);
    for expected in &frames[1..] {
        assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), *expected);
    }
}
