//! Budgets: half-received frames of many connections together.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use datagrammar::{Budget, Connection, Limits, RecvError};
use datagrammar_tests::datagrams::{piece, pieces};
use datagrammar_tests::{Numbered, options, raw};
use rustix::net::SocketType;

pub(crate) type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A form of receiving; returns the frame's length.
type Receive = fn(&mut Ours) -> Result<usize, RecvError>;

/// Leaves a frame of 1,000 bytes, of which 10 have arrived.
type Leave = fn(OwnedFd, Ours);

/// A connection that shares `budget`, and its peer.
pub(crate) fn pair(budget: &Budget) -> (OwnedFd, Ours) {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    (theirs, Ours::adopt_with(ours, &options().budget(budget)).unwrap())
}

/// Sends the first `sent` bytes of a frame of `total` bytes, and lets `ours` receive them.
pub(crate) fn begin(
    theirs: &OwnedFd,
    ours: &mut Ours,
    total: u64,
    sent: usize,
) -> Result<(), RecvError> {
    raw::send(theirs, &piece(1, total, &vec![1; sent])).unwrap();
    match ours.try_recv() {
        Err(RecvError::WouldBlock) => Ok(()),
        Err(other) => Err(other),
        Ok(frame) => panic!("{frame:?}"),
    }
}

#[test]
fn h51_the_greediest_are_refused_and_small_frames_get_in() {
    let receive: [Receive; 3] = [
        |ours| ours.try_recv().map(|frame| frame.unwrap().len()),
        |ours| {
            let far = Instant::now() + Duration::from_secs(60);
            ours.recv_deadline(far).map(|frame| frame.unwrap().len())
        },
        |ours| ours.recv().map(|frame| frame.unwrap().len()),
    ];
    for receive in receive {
        let budget = Budget::new().frame_bytes(10_000);
        let (mut first, mut greedy, mut small) = (pair(&budget), pair(&budget), pair(&budget));
        begin(&first.0, &mut first.1, 4000, 100).unwrap();
        raw::send(&greedy.0, &piece(1, 4000, &[1; 100])).unwrap();
        let error = receive(&mut greedy.1).unwrap_err();
        let expected = RecvError::OverBudget { len: 4000, held: 4000, budget: 10_000 };
        assert_eq!(error.to_string(), expected.to_string());
        assert!(matches!(error, RecvError::OverBudget { .. }) && !error.is_fatal());
        // The other pieces of the frame are dropped, and the next frame is received.
        raw::send(&greedy.0, &piece(2, 100, &[1; 3900])).unwrap();
        raw::send(&greedy.0, &[1, 0, 0]).unwrap();
        assert_eq!(receive(&mut greedy.1).unwrap(), 3);
        // A short frame is admitted, and received whole.
        begin(&small.0, &mut small.1, 1000, 10).unwrap();
        assert_eq!(budget.bytes_held(), 5000);
        raw::send(&small.0, &piece(2, 10, &[1; 990])).unwrap();
        assert_eq!(receive(&mut small.1).unwrap(), 1000);
        raw::send(&first.0, &piece(2, 100, &[1; 3900])).unwrap();
        assert_eq!(receive(&mut first.1).unwrap(), 4000);
        assert_eq!(budget.bytes_held(), 0);
        // Now there is room for a frame of the same length.
        for piece in pieces(8, &[1; 4000], 1000) {
            raw::send(&greedy.0, &piece).unwrap();
        }
        assert_eq!(receive(&mut greedy.1).unwrap(), 4000);
        assert_eq!(budget.bytes_held(), 0);
    }
}

#[test]
fn h51_a_frame_may_take_half_of_what_is_free() {
    for (frame_bytes, len, admitted) in [
        (10_000, 5000, true),
        (10_000, 5001, false),
        (9_999, 5000, false),
        (0, 1, false),
        (1, 1, false),
        (2, 1, true),
        (usize::MAX, u64::MAX, false),
        (usize::MAX, u64::MAX / 2, true),
        (usize::MAX, u64::MAX / 2 + 1, false),
    ] {
        let budget = Budget::new().frame_bytes(frame_bytes);
        let (theirs, mut ours) = pair(&budget);
        ours.rx.set_limits(Limits::default().frame_len(usize::MAX));
        raw::send(&theirs, &piece(1, len, &[1])).unwrap();
        // A frame of one byte is complete at once.
        let begun = match ours.try_recv().map(drop) {
            Err(RecvError::WouldBlock) => Ok(()),
            begun => begun,
        };
        assert_eq!(begun.is_ok(), admitted, "{len} of {frame_bytes}: {begun:?}");
        assert!(begun.is_ok() || matches!(begun, Err(RecvError::OverBudget { .. })), "{begun:?}");
    }
    // A lower budget admits no more frames, but keeps those that it has admitted.
    let budget = Budget::new();
    let ((theirs, mut ours), (other, mut others)) = (pair(&budget), pair(&budget));
    begin(&theirs, &mut ours, 1000, 10).unwrap();
    let budget = budget.frame_bytes(500);
    let refused = begin(&other, &mut others, 1000, 10);
    assert!(
        matches!(refused, Err(RecvError::OverBudget { len: 1000, held: 1000, budget: 500 })),
        "{refused:?}"
    );
    raw::send(&theirs, &piece(2, 10, &[1; 990])).unwrap();
    assert_eq!(ours.try_recv().unwrap().expect("a frame").len(), 1000);
    assert_eq!(budget.bytes_held(), 0);
}

#[test]
fn h51_every_way_out_of_a_half_received_frame_gives_its_bytes_back() {
    let ways: [(&str, Leave); 9] = [
        ("complete", |theirs, mut ours| {
            raw::send(&theirs, &piece(2, 10, &[1; 990])).unwrap();
            assert_eq!(ours.recv().unwrap().expect("a frame").len(), 1000);
            // The complete frame belongs to the receiver, and no longer counts.
            std::mem::forget((theirs, ours));
        }),
        ("the end", |theirs, mut ours| {
            drop(theirs);
            let error = ours.recv().unwrap_err();
            assert!(matches!(error, RecvError::Incomplete { received: 10, total: 1000 }));
            std::mem::forget(ours);
        }),
        ("another frame instead", |theirs, mut ours| {
            raw::send(&theirs, &[1, 0, 0]).unwrap();
            let error = ours.recv().unwrap_err();
            assert!(matches!(error, RecvError::Incomplete { received: 10, total: 1000 }));
            std::mem::forget((theirs, ours));
        }),
        ("another large frame instead", |theirs, mut ours| {
            raw::send(&theirs, &piece(1, 3, &[1; 3])).unwrap();
            assert!(matches!(ours.recv(), Err(RecvError::Incomplete { .. })));
            assert_eq!(ours.recv().unwrap().expect("a frame").len(), 3);
            std::mem::forget((theirs, ours));
        }),
        ("a malformed piece", |theirs, mut ours| {
            raw::send(&theirs, &piece(2, 11, &[1; 10])).unwrap();
            assert!(matches!(ours.recv(), Err(RecvError::BadFragment(_))));
            std::mem::forget((theirs, ours));
        }),
        ("a piece that is too long", |theirs, mut ours| {
            raw::send(&theirs, &piece(2, 10, &[1; 991])).unwrap();
            assert!(matches!(ours.recv(), Err(RecvError::BadFragment(_))));
            std::mem::forget((theirs, ours));
        }),
        ("a large frame over the limit instead", |theirs, mut ours| {
            ours.rx.set_limits(Limits::default().frame_len(100));
            raw::send(&theirs, &piece(1, 101, &[1; 10])).unwrap();
            assert!(matches!(ours.recv(), Err(RecvError::Incomplete { .. })));
            assert!(matches!(ours.recv(), Err(RecvError::TooLarge { len: 101, limit: 100 })));
            std::mem::forget((theirs, ours));
        }),
        ("dropped", |_theirs, ours| {
            let (tx, rx) = ours.split();
            drop(rx);
            std::mem::forget(tx);
        }),
        ("handed over", |_theirs, ours| std::mem::forget(ours.into_fd().unwrap())),
    ];
    for (way, leave) in ways {
        let budget = Budget::new().frame_bytes(2000);
        let (theirs, mut ours) = pair(&budget);
        begin(&theirs, &mut ours, 1000, 10).unwrap();
        assert_eq!(budget.bytes_held(), 1000, "{way}");
        leave(theirs, ours);
        assert_eq!(budget.bytes_held(), 0, "{way}");
    }
}

#[test]
fn h51_frames_that_are_refused_otherwise_take_nothing() {
    let budget = Budget::new().frame_bytes(1000);
    let (theirs, mut ours) = pair(&budget);
    ours.rx.set_limits(Limits::default().frame_len(100));
    for (bad, sent) in [(101, 10), (u64::MAX, 10), (5, 6), (0, 1), (100, 0)] {
        let error = begin(&theirs, &mut ours, bad, sent).unwrap_err();
        assert!(
            matches!(error, RecvError::TooLarge { .. } | RecvError::BadFragment(_)),
            "{error:?}"
        );
        assert_eq!(budget.bytes_held(), 0, "{error:?}");
    }
    // Reserved first bytes, with which a complete frame may not begin.
    raw::send(&theirs, &piece(1, 3, &[0, 1, 1])).unwrap();
    assert!(matches!(ours.recv(), Err(RecvError::BadFragment(_))));
    assert_eq!(budget.bytes_held(), 0);
}

#[test]
fn h51_a_frame_that_is_handed_over_counts_where_it_is_received_on() {
    let (old, new) = (Budget::new(), Budget::new().frame_bytes(2000));
    let (theirs, mut ours) = pair(&old);
    begin(&theirs, &mut ours, 1000, 10).unwrap();
    let (fd, unread) = ours.into_fd().unwrap();
    assert_eq!(old.bytes_held(), 0);
    let mut ours = Ours::adopt_with(fd, &options().budget(&new)).unwrap();
    ours.rx.restore(unread);
    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    assert_eq!(new.bytes_held(), 1000);
    // Into a receiver that has no room for it.
    let (fd, unread) = ours.into_fd().unwrap();
    assert_eq!(new.bytes_held(), 0);
    let new = new.frame_bytes(1999);
    let mut ours = Ours::adopt_with(fd, &options().budget(&new)).unwrap();
    ours.rx.restore(unread);
    let refused = ours.try_recv().map(drop);
    assert!(
        matches!(refused, Err(RecvError::OverBudget { len: 1000, held: 0, budget: 1999 })),
        "{refused:?}"
    );
    raw::send(&theirs, &piece(2, 10, &[1; 990])).unwrap();
    raw::send(&theirs, &[1, 0, 0]).unwrap();
    assert_eq!(ours.recv().unwrap().expect("a frame").len(), 3);
}
