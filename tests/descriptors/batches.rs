//! Descriptors of frames that wait, or are dropped, among others that have none.

use std::os::fd::{AsRawFd as _, OwnedFd};

use datagrammar::{Connection, RecvError};
use datagrammar_tests::InMode as _;
use datagrammar_tests::leaks::{self, Parcel};

use super::{Ours, alone, copies};

/// Frames with and without descriptors by turns: `bits` says which.
fn send(theirs: &mut Ours, bits: u32, count: usize) {
    for at in 0..count {
        let all = copies((bits as usize >> at & 1) * (at + 1));
        theirs.send(&Parcel::Many { all, flag: true }).unwrap();
    }
}

/// How many descriptors frame `at` has.
fn expected(bits: u32, at: usize) -> usize {
    (bits as usize >> at & 1) * (at + 1)
}

#[test]
fn h41_descriptors_of_frames_that_are_dropped_are_closed_once_and_others_come() {
    const COUNT: usize = 6;
    let _alone = alone();
    for bits in 0..1 << COUNT {
        for left in 0..=COUNT {
            let before = leaks::open();
            let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
            let (_sender, mut ours) = ours.split();
            let open = leaks::open();
            send(&mut theirs, bits, COUNT);
            for at in 0..left {
                // Looked at, or not, and not taken; then dropped as a frame, or decoded.
                if at % 3 == 0 {
                    assert!(ours.recv_batch().unwrap().is_some());
                    assert_eq!(leaks::open(), open + expected(bits, at), "they are held once");
                }
                let mut frames = ours.try_recv_batch().unwrap().expect("frames");
                let frame = frames.next().expect("a frame");
                assert_eq!(frame.descriptor_count(), expected(bits, at));
                if at % 2 == 0 {
                    let Parcel::Many { all, .. } = frame.decode().unwrap() else { panic!() };
                    assert_eq!(leaks::open(), open + all.len());
                } else {
                    drop(frame);
                }
                assert_eq!(leaks::open(), open);
            }
            // One waits with its descriptors, in a receiver that is dropped.
            if left < COUNT {
                assert!(ours.recv_batch().unwrap().is_some());
            } else {
                assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
            }
            drop((theirs, ours, _sender));
            assert_eq!(leaks::open(), before);
        }
    }
}

#[test]
fn h41_what_waits_with_descriptors_comes_with_them_in_every_form() {
    let _alone = alone();
    let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
    let (_sender, mut ours) = ours.split();
    let before = leaks::open();
    for round in 0..12 {
        send(&mut theirs, 0b101, 3);
        for at in 0..3 {
            if round & 1 == 1 {
                assert!(ours.recv_batch().unwrap().is_some());
                assert!(ours.peek_len(datagrammar::Wait::Block).unwrap().is_some());
            }
            let mut buffer = Vec::new();
            let frame = match round / 2 {
                0 => ours.recv().unwrap(),
                1 => ours.try_recv().unwrap(),
                2 => ours.recv_into(&mut buffer).unwrap(),
                3 => ours.try_recv_into(&mut buffer).unwrap(),
                4 => ours.recv_batch().unwrap().and_then(|mut frames| frames.next()),
                _ => ours.try_recv_batch().unwrap().and_then(|mut frames| frames.next()),
            };
            let Parcel::Many { all, flag: true } = frame.expect("a frame").decode().unwrap() else {
                panic!()
            };
            assert_eq!(all.len(), expected(0b101, at));
        }
        assert_eq!(leaks::open(), before);
    }
}

#[test]
fn descriptors_are_sent_with_their_own_of_many_messages() {
    let _alone = alone();
    let (ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let (mut sender, _receiver) = ours.split();
    let messages: Vec<Parcel> =
        (0..40).map(|at| Parcel::Many { all: pipes(at % 4), flag: true }).collect();
    let numbers: Vec<Vec<u64>> = messages.iter().map(inodes).collect();
    assert_eq!(sender.send_all(&messages).unwrap(), 40);
    let before = leaks::open();
    for expected in &numbers {
        let message = theirs.recv().unwrap().expect("a frame").decode().unwrap();
        assert_eq!(inodes(&message), *expected);
    }
    assert_eq!(leaks::open(), before);
}

fn pipes(count: usize) -> Vec<OwnedFd> {
    (0..count).map(|_| std::io::pipe().unwrap().0.into()).collect()
}

/// What descriptors a message has, in order.
fn inodes(message: &Parcel) -> Vec<u64> {
    let Parcel::Many { all, .. } = message else { panic!() };
    let inode = |fd: &OwnedFd| rustix::fs::fstat(fd).unwrap().st_ino;
    all.iter().map(inode).collect()
}

#[test]
fn a_connection_that_changes_hands_closes_what_waits() {
    let _alone = alone();
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    send(&mut theirs, 0b11, 2);
    assert!(ours.recv_batch().unwrap().is_some());
    let before = leaks::open();
    let (fd, untaken) = ours.into_fd().unwrap();
    // That of the frame that waited, which is handed out without it.
    assert_eq!((leaks::open(), untaken.len()), (before - 1, 1));
    assert!(fd.as_raw_fd() >= 0);
    let mut ours = Connection::<Parcel, Parcel>::adopt(fd).unwrap();
    assert_eq!(ours.recv().unwrap().expect("a frame").descriptor_count(), 2);
}
