//! Frames in pieces from senders that lie, die, or never finish.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};

use datagrammar::{Connection, FragmentFault, Limits, RecvError};
use datagrammar_tests::datagrams::{head, piece};
use datagrammar_tests::leaks::Parcel;
use datagrammar_tests::{InMode as _, Numbered, raw};
use rustix::net::SocketType;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A raw sender, and a receiver with a limit.
fn raw_and_ours(limit: usize) -> (OwnedFd, Ours) {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    ours.rx.set_limits(Limits::default().frame_len(limit));
    (theirs, ours)
}

#[test]
fn a_sender_that_dies_half_way_is_an_error_and_then_the_end() {
    let (theirs, mut ours) = raw_and_ours(1000);
    raw::send(&theirs, &piece(1, 1000, &[7; 600])).unwrap();
    drop(theirs);
    match ours.recv() {
        Err(RecvError::Incomplete { received: 600, total: 1000 }) => {}
        other => panic!("{other:?}"),
    }
    assert!(ours.recv().unwrap().is_none());
    assert!(ours.recv().unwrap().is_none());
}

#[test]
fn pieces_that_lie_are_refused_and_the_next_frame_is_in_step() {
    let begun = || piece(1, 1000, &[7; 600]);
    let other = [&head(2, 8, 600)[..], &[7; 10]].concat();
    let cases: [(&[Vec<u8>], FragmentFault); 10] = [
        (&[piece(1, 1000, &[])], FragmentFault::Short { len: 14 }),
        (&[vec![0]], FragmentFault::Short { len: 1 }),
        (&[vec![0, 1, 2, 3]], FragmentFault::Short { len: 4 }),
        (&[piece(2, 600, &[7; 10])], FragmentFault::Orphan { offset: 600 }),
        (&[piece(9, 0, &[7])], FragmentFault::Kind(9)),
        (&[piece(3, 1, &[7])], FragmentFault::Kind(3)),
        (
            &[begun(), piece(2, 599, &[7; 10]), piece(2, 609, &[7; 10])],
            FragmentFault::Offset { expected: 600, found: 599 },
        ),
        (&[begun(), other], FragmentFault::OtherFrame { expected: 7, found: 8 }),
        (
            &[begun(), piece(2, u64::MAX, &[7; 10])],
            FragmentFault::Offset { expected: 600, found: u64::MAX },
        ),
        (
            &[begun(), piece(2, 600, &[7; 401])],
            FragmentFault::Overrun { offset: 600, len: 401, total: 1000 },
        ),
    ];
    for (datagrams, fault) in &cases {
        let (theirs, mut ours) = raw_and_ours(1000);
        for datagram in *datagrams {
            raw::send(&theirs, datagram).unwrap();
        }
        // The further pieces of the frame are dropped without another error.
        raw::send(&theirs, &piece(2, 700, &[7; 300])).unwrap();
        raw::send(&theirs, &[1, 5, 0]).unwrap();
        match ours.recv() {
            Err(RecvError::BadFragment(found)) => assert_eq!(found, *fault),
            other => panic!("{fault:?}: {other:?}"),
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 5);
        raw::send(&theirs, &begun()).unwrap();
        raw::send(&theirs, &piece(2, 600, &[7; 400])).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").len(), 1000);
    }
    // A first piece that is longer than its frame.
    let (theirs, mut ours) = raw_and_ours(1000);
    raw::send(&theirs, &piece(1, 10, &[7; 11])).unwrap();
    let overrun = FragmentFault::Overrun { offset: 0, len: 11, total: 10 };
    assert!(matches!(ours.recv(), Err(RecvError::BadFragment(fault)) if fault == overrun));
    // A frame of no bytes.
    raw::send(&theirs, &piece(1, 0, &[7; 11])).unwrap();
    assert!(matches!(ours.recv(), Err(RecvError::BadFragment(_))));
}

#[test]
fn h32_a_claim_costs_no_more_memory_than_what_comes() {
    // Without a practical limit, the receiver makes room for at most 1 MiB of the claimed bytes, and then for as many
    // more as have arrived.
    const CLAIMED: u64 = 1 << 63;
    const PIECE: usize = 100_000;
    let (theirs, mut ours) = raw_and_ours(usize::MAX);
    let counted = allocation_counter::measure(|| {
        raw::send(&theirs, &piece(1, CLAIMED, &[7; PIECE])).unwrap();
        for at in 1..10 {
            assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
            let offset = at * PIECE;
            raw::send(&theirs, &piece(2, offset as u64, &[7; PIECE])).unwrap();
        }
        assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    });
    assert!(counted.bytes_max <= 3 * 1024 * 1024, "{counted:?}");
    drop(theirs);
    match ours.recv() {
        Err(RecvError::Incomplete { received, total }) => {
            assert_eq!((received, total as u64), (10 * PIECE, CLAIMED));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn descriptors_come_with_the_last_piece() {
    // A frame that never ends does not hold other frames of its receiver.
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Connection::<Parcel, Parcel>::adopt(ours).unwrap().in_mode();
    let file = File::open("/proc/version").unwrap();
    let frame = [2, 1, 1];
    for (at, byte) in frame.iter().enumerate() {
        let (kind, place) = if at == 0 { (1, frame.len()) } else { (2, at) };
        let datagram = piece(kind, place as u64, &[*byte]);
        match at + 1 == frame.len() {
            true => raw::send_with(&theirs, &datagram, &[&[file.as_fd()]]).unwrap(),
            false => raw::send_with(&theirs, &datagram, &[&[file.as_fd(), file.as_fd()]]).unwrap(),
        }
    }
    let received = ours.recv().unwrap().expect("a frame");
    assert_eq!((received.bytes(), received.descriptor_count()), (&frame[..], 1));
}

#[test]
fn h19_descriptors_beside_a_piece_that_is_not_the_last_are_not_kept() {
    // The other end of the pipe shows when its copy is closed.
    type IsExpected = fn(&RecvError) -> bool;
    let outcomes: [(Vec<u8>, IsExpected); 3] = [
        (piece(1, 4, &[1, 2]), |error| matches!(error, RecvError::WouldBlock)),
        (piece(2, 4, &[1, 2]), |error| matches!(error, RecvError::BadFragment(_))),
        (vec![0; 3], |error| matches!(error, RecvError::BadFragment(_))),
    ];
    for (datagram, is_expected) in outcomes {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let ours = Connection::<Parcel, Parcel>::adopt(ours).unwrap().in_mode();
        let (_sender, mut ours) = ours.split();
        let (mut left, right) = std::io::pipe().unwrap();
        raw::send_with(&theirs, &datagram, &[&[right.as_fd()]]).unwrap();
        drop(right);
        let error = ours.try_recv().unwrap_err();
        assert!(is_expected(&error), "{error:?}");
        rustix::io::ioctl_fionbio(&left, true).unwrap();
        let closed = std::io::Read::read(&mut left, &mut [0]);
        assert!(matches!(closed, Ok(0)), "{datagram:?}: {closed:?}");
    }
}

#[test]
fn descriptors_of_what_was_refused_go_to_no_other_frame() {
    let file = File::open("/proc/version").unwrap();
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Connection::<Parcel, Parcel>::adopt(ours).unwrap().in_mode();
    raw::send_with(&theirs, &[], &[&[file.as_fd()]]).unwrap();
    assert!(matches!(ours.recv(), Err(RecvError::Empty)));
    ours.rx.restore(vec![vec![2, 0, 1]]);
    assert_eq!(ours.recv().unwrap().expect("a frame").descriptor_count(), 0);
}

#[test]
fn a_limit_that_falls_while_a_frame_comes_refuses_that_frame_alone() {
    // The pieces are longer than the read part of datagrams over the lower limit.
    const PIECE: usize = 100_000;
    let (theirs, mut ours) = raw_and_ours(1_000_000);
    let next = |ours: &mut Ours, at: usize| {
        raw::send(&theirs, &piece(2, at as u64, &[7; PIECE])).unwrap();
        ours.try_recv().map(|frame| frame.map(|frame| frame.len()))
    };
    raw::send(&theirs, &piece(1, 3 * PIECE as u64, &[7; PIECE])).unwrap();
    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    ours.rx.set_limits(Limits::default().frame_len(10));
    assert!(matches!(next(&mut ours, PIECE), Err(RecvError::WouldBlock)));
    match next(&mut ours, 2 * PIECE) {
        Err(RecvError::TooLarge { len, limit: 10 }) => assert_eq!(len, 3 * PIECE),
        other => panic!("{other:?}"),
    }
    raw::send(&theirs, &[1, 5, 0]).unwrap();
    assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 5);
}
