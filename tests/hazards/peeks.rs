//! The length of the next frame, in every form of waiting, wherever that frame is.

use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{BundleFault, Connection, FragmentFault, Limits, RecvError, Wait, to_vec};
use datagrammar_tests::datagrams::{bundle, bundle_of, piece, pieces, wide_varint};
use datagrammar_tests::{InMode as _, Numbered, numbered, raw};
use rustix::net::SocketType;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

fn raw_and_ours() -> (std::os::fd::OwnedFd, Ours) {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    (theirs, Ours::adopt(ours).unwrap().in_mode())
}

/// Every form of waiting.
fn waits() -> [Wait; 3] {
    [Wait::Block, Wait::Try, Wait::Until(Instant::now())]
}

/// Peeks in every form, twice, and then receives.
fn expect(ours: &mut Ours, told: usize, frame: &[u8]) {
    for wait in waits().into_iter().chain(waits()) {
        assert_eq!(ours.rx.peek_len(wait).unwrap(), Some(told), "{wait:?}");
    }
    assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), frame);
}

#[test]
fn a_peek_tells_the_length_of_the_frame_that_comes_next() {
    let frame = |number, len| numbered(number, len, |frame| to_vec(frame)).unwrap();
    let (theirs, mut ours) = raw_and_ours();
    let (short, long) = (frame(1, 10), frame(2, 1000));
    for _ in 0..3 {
        raw::send(&theirs, &short).unwrap();
        raw::send(&theirs, &bundle(&[&long, &short, &long])).unwrap();
        for datagram in pieces(9, &long, 600) {
            raw::send(&theirs, &datagram).unwrap();
        }
        raw::send(&theirs, &short).unwrap();
        for frame in [&short, &long, &short, &long, &long, &short] {
            expect(&mut ours, frame.len(), frame);
        }
    }
    // In a bundle, with every encoding of the length.
    for first in 251..=253 {
        let length = wide_varint(4, first);
        raw::send(
            &theirs,
            &bundle_of(2, &[&length[..], &[1, 7, 1, 7], &length, &[1, 8, 1, 8]].concat()),
        )
        .unwrap();
        expect(&mut ours, 4, &[1, 7, 1, 7]);
        expect(&mut ours, 4, &[1, 8, 1, 8]);
    }
    drop(theirs);
    for wait in waits() {
        assert_eq!(ours.rx.peek_len(wait).unwrap(), None);
    }
}

#[test]
fn a_peek_tells_the_length_of_a_frame_of_which_pieces_have_come() {
    let (theirs, mut ours) = raw_and_ours();
    raw::send(&theirs, &piece(1, 10, &[1, 7])).unwrap();
    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    // Of the queued datagrams, only the next piece shows that the frame continues.
    assert!(matches!(ours.rx.peek_len(Wait::Try), Err(RecvError::WouldBlock)));
    raw::send(&theirs, &piece(2, 2, &[7, 7, 7, 7])).unwrap();
    raw::send(&theirs, &piece(2, 6, &[7, 7, 7, 7])).unwrap();
    expect(&mut ours, 10, &[1, 7, 7, 7, 7, 7, 7, 7, 7, 7]);
    // The interrupting datagram is reported, and comes after the error.
    raw::send(&theirs, &piece(1, 10, &[1, 7])).unwrap();
    raw::send(&theirs, &[1, 7, 1, 7]).unwrap();
    assert!(matches!(ours.recv(), Err(RecvError::Incomplete { received: 2, total: 10 })));
    expect(&mut ours, 4, &[1, 7, 1, 7]);
}

#[test]
fn a_peek_passes_by_the_pieces_of_a_frame_that_was_refused() {
    let (theirs, mut ours) = raw_and_ours();
    ours.rx.set_limits(Limits::default().frame_len(100));
    for datagram in pieces(9, &[7; 1000], 90) {
        raw::send(&theirs, &datagram).unwrap();
    }
    // A claimed length over the limit is also reported.
    assert_eq!(ours.rx.peek_len(Wait::Block).unwrap(), Some(1000));
    assert!(matches!(ours.recv(), Err(RecvError::TooLarge { len: 1000, limit: 100 })));
    assert!(matches!(ours.rx.peek_len(Wait::Try), Err(RecvError::WouldBlock)));
    for datagram in pieces(9, &[7; 1000], 90) {
        raw::send(&theirs, &datagram).unwrap();
    }
    assert!(matches!(ours.recv(), Err(RecvError::TooLarge { len: 1000, limit: 100 })));
    raw::send(&theirs, &[1, 7, 1, 7]).unwrap();
    expect(&mut ours, 4, &[1, 7, 1, 7]);
}

#[test]
fn a_peek_over_the_limit_tells_the_real_length_wherever_the_frame_is() {
    let (theirs, mut ours) = raw_and_ours();
    ours.rx.set_limits(Limits::default().frame_len(100));
    for before in [&[][..], &[piece(1, 10, &[1, 7])]] {
        for datagram in before {
            raw::send(&theirs, datagram).unwrap();
        }
        // Longer than the read part of a frame over the limit.
        raw::send(&theirs, &[7; 150_000]).unwrap();
        raw::send(&theirs, &[1, 7, 1, 7]).unwrap();
        if !before.is_empty() {
            assert!(matches!(ours.recv(), Err(RecvError::Incomplete { received: 2, total: 10 })));
        }
        assert_eq!(ours.rx.peek_len(Wait::Try).unwrap(), Some(150_000));
        match ours.recv() {
            Err(RecvError::TooLarge { len: 150_000, limit: 100 }) => {}
            other => panic!("{other:?}"),
        }
        expect(&mut ours, 4, &[1, 7, 1, 7]);
    }
}

#[test]
fn h23_a_peek_at_the_end_of_half_a_frame_tells_what_is_missing() {
    let (theirs, mut ours) = raw_and_ours();
    raw::send(&theirs, &piece(1, 10, &[1, 7])).unwrap();
    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    drop(theirs);
    let peeked = ours.rx.peek_len(Wait::Block);
    assert!(matches!(peeked, Err(RecvError::Incomplete { received: 2, total: 10 })), "{peeked:?}");
    assert_eq!(ours.rx.peek_len(Wait::Block).unwrap(), None);
    assert!(ours.recv().unwrap().is_none());
}

#[test]
fn a_frame_over_the_limit_that_interrupts_another_is_not_handed_over_cut() {
    let (theirs, mut ours) = raw_and_ours();
    ours.rx.set_limits(Limits::default().frame_len(100));
    raw::send(&theirs, &piece(1, 10, &[1, 7])).unwrap();
    raw::send(&theirs, &[7; 150_000]).unwrap();
    raw::send(&theirs, &[1, 7, 1, 7]).unwrap();
    assert!(matches!(ours.recv(), Err(RecvError::Incomplete { received: 2, total: 10 })));
    let (fd, unread) = ours.into_fd().unwrap();
    let mut ours = Ours::adopt(fd).unwrap().in_mode();
    ours.rx.restore(unread);
    expect(&mut ours, 4, &[1, 7, 1, 7]);
}

#[test]
fn a_peek_tells_of_a_fault_of_a_bundle_and_takes_nothing() {
    let (theirs, mut ours) = raw_and_ours();
    raw::send(&theirs, &bundle_of(2, &[4, 1, 7, 1, 7, 9, 1])).unwrap();
    raw::send(&theirs, &[1, 7, 1, 7]).unwrap();
    expect(&mut ours, 4, &[1, 7, 1, 7]);
    let fault = BundleFault::Overrun { at: 20, len: 9, left: 1 };
    for wait in waits() {
        let told = ours.rx.peek_len(wait);
        assert!(matches!(&told, Err(RecvError::BadBundle(found)) if *found == fault), "{told:?}");
    }
    assert!(matches!(ours.recv(), Err(RecvError::BadBundle(found)) if found == fault));
    expect(&mut ours, 4, &[1, 7, 1, 7]);
}

#[test]
fn a_peek_waits_as_long_as_it_may() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    assert!(matches!(ours.rx.peek_len(Wait::Try), Err(RecvError::WouldBlock)));
    let soon = Instant::now() + Duration::from_millis(20);
    assert!(matches!(ours.rx.peek_len(Wait::Until(soon)), Err(RecvError::TimedOut)));
    assert!(Instant::now() >= soon);
    for wait in [Wait::Block, Wait::Until(Instant::now() + Duration::from_secs(60))] {
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(20));
                numbered(7, 10, |frame| theirs.send(frame)).unwrap();
            });
            assert_eq!(ours.rx.peek_len(wait).unwrap(), Some(13));
        });
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
    }
    // An empty datagram is not a frame, and an error while the peer is there.
    raw::send(&theirs, &[]).unwrap();
    numbered(7, 10, |frame| theirs.send(frame)).unwrap();
    assert!(matches!(ours.rx.peek_len(Wait::Block), Err(RecvError::Empty)));
    assert_eq!(ours.rx.peek_len(Wait::Block).unwrap(), Some(13));
    raw::send(&theirs, &piece(2, 9, &[7])).unwrap();
    ours.recv().unwrap().expect("a frame");
    let orphan = FragmentFault::Orphan { offset: 9 };
    assert!(matches!(ours.recv(), Err(RecvError::BadFragment(fault)) if fault == orphan));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| ours.rx.peek_len(Wait::Block).unwrap());
        thread::sleep(Duration::from_millis(20));
        drop(theirs);
        assert_eq!(waiting.join().unwrap(), None);
    });
}

/// From now on, peeks of this thread report nothing, as on kernels that cannot peek over vsock.
fn without_peeks() {
    let peek = libc::MSG_PEEK as u64;
    let arg = SeccompCmpArgLen::Dword;
    let flags = SeccompCondition::new(3, arg, SeccompCmpOp::MaskedEq(peek), peek).unwrap();
    let rules = vec![SeccompRule::new(vec![flags]).unwrap()];
    let filter = SeccompFilter::new(
        [(libc::SYS_recvfrom, rules)].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(0),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[test]
fn a_frame_that_a_peek_has_to_read_is_not_lost() {
    let tested = thread::spawn(|| {
        without_peeks();
        let (theirs, mut ours) = raw_and_ours();
        for frame in [vec![1; 9], vec![1; 13], bundle(&[[1, 5, 0]])] {
            let mut pieces = pieces(7, &frame, 5).into_iter();
            raw::send(&theirs, &pieces.next().unwrap()).unwrap();
            assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
            for piece in pieces {
                raw::send(&theirs, &piece).unwrap();
            }
            raw::send(&theirs, &[1, 6, 0]).unwrap();
            assert_eq!(ours.rx.peek_len(Wait::Try).unwrap(), Some(frame.len()));
            let expected = if frame[0] == 1 { &*frame } else { &[1, 5, 0] };
            assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), expected);
            assert_eq!(ours.rx.peek_len(Wait::Try).unwrap(), Some(3));
            assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 6);
        }
    });
    tested.join().unwrap();
}
