//! Descriptors of frames that wait, or are dropped, among others that have none.

use std::os::fd::{AsRawFd as _, OwnedFd};

use datagrammar::{Batch, BundleFault, Connection, RecvError, Wait};
use datagrammar_tests::leaks::{self, Parcel};
use datagrammar_tests::{InMode as _, raw};

use super::{Ours, alone, copies};

/// Frames with and without descriptors alternate, as `bits` says. Those without descriptors are bundled.
fn send(theirs: &mut Ours, bits: u32, count: usize) {
    let messages: Vec<_> =
        (0..count).map(|at| Parcel::Many { all: copies(expected(bits, at)), flag: true }).collect();
    theirs.tx.send_all(&messages, Wait::Block).unwrap();
}

/// The number of descriptors of frame `at`.
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
            let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
            let open = leaks::open();
            send(&mut theirs, bits, COUNT);
            let mut kept = Vec::new();
            for at in 0..left {
                // Peeked at or not; then dropped as a frame, kept as one, or decoded.
                if at % 3 == 0 {
                    assert!(ours.rx.peek_len(Wait::Block).unwrap().is_some());
                    assert_eq!(leaks::open(), open, "a peek took them");
                }
                let frame = ours.recv().unwrap().expect("a frame");
                assert_eq!(frame.descriptor_count(), expected(bits, at));
                match at % 3 {
                    0 => {
                        let Parcel::Many { all, .. } = frame.decode().unwrap() else { panic!() };
                        assert_eq!(leaks::open(), open + all.len());
                    }
                    1 => drop(frame),
                    _ => {
                        kept.push(frame.into_owned());
                        assert_eq!(leaks::open(), open + expected(bits, at));
                        kept.clear();
                    }
                }
                assert_eq!(leaks::open(), open);
            }
            if left == COUNT {
                assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
            }
            drop((theirs, ours));
            assert_eq!(leaks::open(), before);
        }
    }
}

#[test]
fn h41_what_has_descriptors_comes_with_them_in_every_form() {
    let _alone = alone();
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let before = leaks::open();
    for round in 0..8 {
        send(&mut theirs, 0b10_0101, 6);
        for at in 0..6 {
            if round & 1 == 1 {
                assert!(ours.rx.peek_len(Wait::Block).unwrap().is_some());
            }
            let parcel = match round / 2 {
                0 => ours.recv().unwrap().expect("a frame").decode(),
                1 => ours.try_recv().unwrap().expect("a frame").decode(),
                2 => ours.rx.recv_owned(Wait::Block).unwrap().expect("a frame").decode(),
                _ => ours.recv().unwrap().expect("a frame").into_owned().decode(),
            };
            let Parcel::Many { all, flag: true } = parcel.unwrap() else { panic!() };
            assert_eq!(all.len(), expected(0b10_0101, at));
        }
        assert_eq!(leaks::open(), before);
    }
}

#[test]
fn descriptors_are_sent_with_their_own_of_many_messages() {
    let _alone = alone();
    let (ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let messages: Vec<Parcel> =
        (0..40).map(|at| Parcel::Many { all: pipes(at % 4), flag: true }).collect();
    let numbers: Vec<Vec<u64>> = messages.iter().map(inodes).collect();
    let mut sender = ours.tx;
    assert_eq!(sender.send_all(&messages, Wait::Block).unwrap(), 40);
    let mut batch = Batch::new(sender);
    for message in &messages {
        batch.push(message, Wait::Block).unwrap();
    }
    batch.flush(Wait::Block).unwrap();
    let before = leaks::open();
    for expected in numbers.iter().chain(&numbers) {
        let message = theirs.recv().unwrap().expect("a frame").decode().unwrap();
        assert_eq!(inodes(&message), *expected);
    }
    assert_eq!(leaks::open(), before);
}

fn pipes(count: usize) -> Vec<OwnedFd> {
    (0..count).map(|_| std::io::pipe().unwrap().0.into()).collect()
}

/// The descriptors that a message has, in order.
fn inodes(message: &Parcel) -> Vec<u64> {
    let Parcel::Many { all, .. } = message else { panic!() };
    let inode = |fd: &OwnedFd| rustix::fs::fstat(fd).unwrap().st_ino;
    all.iter().map(inode).collect()
}

#[test]
fn h41_those_that_come_beside_a_bundle_are_closed_and_told() {
    use std::os::fd::AsFd as _;
    let _alone = alone();
    let (theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let before = leaks::open();
    let [left, right] = [super::file(), super::file()];
    let bundle = [0, 4, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 2, 0, 1, 3, 2, 0, 1];
    raw::send_with(&theirs, &bundle, &[&[left.as_fd(), right.as_fd()]]).unwrap();
    raw::send(&theirs, &[2, 0, 1]).unwrap();
    let error = ours.recv().unwrap_err();
    let fault = BundleFault::Descriptors { count: 2 };
    assert!(matches!(&error, RecvError::BadBundle(found) if *found == fault), "{error:?}");
    assert!(ours.recv().unwrap().expect("a frame").decode().is_ok());
    drop((left, right));
    assert_eq!(leaks::open(), before);
}

#[test]
fn a_connection_that_changes_hands_takes_no_descriptor_before_its_frame_is_received() {
    let _alone = alone();
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    send(&mut theirs, 0b1100, 4);
    let before = leaks::open();
    assert_eq!(ours.recv().unwrap().expect("a frame").descriptor_count(), 0);
    let (fd, unread) = ours.into_fd().unwrap();
    assert_eq!((leaks::open(), unread.len()), (before, 1));
    assert!(fd.as_raw_fd() >= 0);
    let mut ours = Connection::<Parcel, Parcel>::adopt(fd).unwrap().in_mode();
    ours.rx.restore(unread);
    for at in 1..4 {
        let frame = ours.recv().unwrap().expect("a frame");
        assert_eq!(frame.descriptor_count(), expected(0b1100, at));
    }
}
