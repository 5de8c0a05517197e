//! Frames with descriptors, in all cases of success and failure.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::panic::{self, AssertUnwindSafe};

use datagrammar::{Connection, DecodeError, Limits, Message, RecvError, SendError, Socket};

use crate::{Directory, mode::InMode as _, raw};

/// Messages that carry descriptors.
#[derive(Message, Debug)]
pub enum Parcel {
    /// One descriptor, or two.
    #[message(tag = 1)]
    Two {
        /// A descriptor that is always there.
        #[message(fd)]
        left: OwnedFd,
        /// A descriptor that is sometimes there.
        #[message(fd)]
        right: Option<OwnedFd>,
    },
    /// Any number of descriptors.
    #[message(tag = 2)]
    Many {
        /// All descriptors.
        #[message(fd)]
        all: Vec<OwnedFd>,
        /// A field after them that may be malformed.
        flag: bool,
    },
}

/// Messages without descriptors.
#[derive(Message, Debug)]
pub enum Plain {
    /// The only one.
    #[message(tag = 1)]
    Plain,
}

/// Returns how many descriptors this process has open, except the one that this function opens.
///
/// # Panics
///
/// Without /proc.
pub fn open() -> usize {
    fs::read_dir("/proc/self/fd").expect("/proc").count() - 1
}

/// Sends and receives `frames` frames with descriptors: decoded, not decoded, damaged, miscounted, over the limit, in
/// pieces and in memory, to a user that panics, to types without descriptors, and without a receiver.
///
/// # Panics
///
/// If an unexpected result comes.
pub fn exchange(frames: usize) {
    let file = File::open("/proc/version").expect("a file");
    let fd = file.as_fd();
    let limits = Limits::default().frame_len(100);
    let (mut ours, mut theirs) = Connection::<Parcel, Parcel>::pair().expect("a pair").in_mode();
    theirs.rx.set_limits(limits);
    let directory = Directory::new();
    let address = directory.address("socket");
    let mut memory = (
        UnixDatagram::unbound().expect("a socket"),
        Socket::<Parcel, Parcel>::bind(&address).expect("a socket"),
    );
    memory.0.connect(address.as_pathname().expect("a path")).expect("a receiver");
    for number in 0..frames {
        match number % 13 {
            0 => {
                let (left, right) = (owned(fd), (number % 2 == 0).then(|| owned(fd)));
                ours.send(&Parcel::Two { left, right }).expect("sent");
                let frame = theirs.recv().expect("received").expect("a frame");
                assert!(matches!(frame.decode(), Ok(Parcel::Two { .. })));
            }
            1 => {
                let all = (0..number % 7).map(|_| owned(fd)).collect();
                ours.send(&Parcel::Many { all, flag: true }).expect("sent");
                drop(theirs.recv().expect("received").expect("a frame"));
            }
            2 => {
                let error = damaged(&ours, &mut theirs, &[2, 3, 7], &[&[fd, fd, fd]]);
                assert!(matches!(error, DecodeError::Field { .. }), "{error:?}");
            }
            3 => {
                let error = damaged(&ours, &mut theirs, &[1, 1], &[&[fd, fd, fd]]);
                assert!(matches!(error, DecodeError::FdCount { declared: 2, received: 3 }));
            }
            4 => {
                let error = damaged(&ours, &mut theirs, &[2, 9, 1], &[&[fd], &[fd, fd]]);
                assert!(matches!(error, DecodeError::FdCount { declared: 9, received: 3 }));
            }
            5 => {
                let error = damaged(&ours, &mut theirs, &[9], &[&[fd]]);
                assert!(matches!(error, DecodeError::UnknownTag(9)), "{error:?}");
            }
            6 => {
                raw::send_with(&ours, &[1; 101], &[&[fd, fd]]).expect("sent");
                let error = theirs.recv().expect_err("over the limit");
                assert!(matches!(error, RecvError::TooLarge { len: 101, limit: 100 }));
            }
            7 => {
                ours.send(&Parcel::Many { all: vec![owned(fd)], flag: true }).expect("sent");
                let frame = theirs.recv().expect("received").expect("a frame");
                let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
                    let _held = frame.decode().expect("a message");
                    panic::resume_unwind(Box::new(()));
                }));
                panicked.expect_err("a panic");
            }
            8 => {
                // The first piece of a frame that never ends.
                raw::send_with(
                    &ours,
                    &[0, 1, 7, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 7],
                    &[&[fd, fd]],
                )
                .expect("sent");
                raw::send(&ours, &[2, 0, 1]).expect("sent");
                let error = theirs.recv().expect_err("half a frame");
                assert!(matches!(error, RecvError::Incomplete { received: 1, total: 50 }));
                theirs.recv().expect("received").expect("a frame").decode().expect("a message");
            }
            9 => {
                // A piece of no frame.
                raw::send_with(
                    &ours,
                    &[0, 2, 7, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 7],
                    &[&[fd, fd]],
                )
                .expect("sent");
                raw::send(&ours, &[2, 0, 1]).expect("sent");
                let error = theirs.recv().expect_err("a piece of nothing");
                assert!(matches!(error, RecvError::BadFragment(_)), "{error:?}");
                theirs.recv().expect("received").expect("a frame").decode().expect("a message");
            }
            10 => {
                // Memory that holds no frame, with a descriptor of the message.
                let envelope = [0, 3, 0, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0];
                raw::send_with(&memory.0, &envelope, &[&[fd, fd]]).expect("sent");
                let error = memory.1.recv_from().expect_err("no memory");
                assert!(matches!(error, RecvError::BadMemory(_)), "{error:?}");
            }
            11 => to_types_without_any(fd),
            _ => to_nobody(fd),
        }
    }
}

fn owned(fd: BorrowedFd<'_>) -> OwnedFd {
    fd.try_clone_to_owned().expect("a descriptor")
}

fn damaged(
    ours: &Connection<Parcel, Parcel>,
    theirs: &mut Connection<Parcel, Parcel>,
    frame: &[u8],
    lists: &[&[BorrowedFd<'_>]],
) -> DecodeError {
    raw::send_with(ours, frame, lists).expect("sent");
    let frame = theirs.recv().expect("received").expect("a frame");
    frame.decode().expect_err("a damaged frame")
}

/// Before Linux 6.16, the kernel does not refuse them: they are closed on arrival.
fn to_types_without_any(fd: BorrowedFd<'_>) {
    let (ours, mut theirs) = Connection::<Plain, Plain>::pair().expect("a pair").in_mode();
    match raw::send_with(&ours, &[1], &[&[fd]]) {
        Ok(()) => {
            let frame = theirs.recv().expect("received").expect("a frame");
            assert_eq!(frame.descriptor_count(), 0);
            frame.decode().expect("a message");
        }
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied),
    }
}

fn to_nobody(fd: BorrowedFd<'_>) {
    let (mut ours, theirs) = Connection::<Parcel, Parcel>::pair().expect("a pair").in_mode();
    // One frame that is never received, and one that cannot be received.
    ours.send(&Parcel::Many { all: vec![owned(fd), owned(fd)], flag: false }).expect("sent");
    drop(theirs);
    let error = ours.send(&Parcel::Many { all: vec![owned(fd)], flag: false });
    assert!(matches!(error, Err(SendError::Disconnected)), "{error:?}");
}
