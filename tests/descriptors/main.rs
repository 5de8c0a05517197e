//! Descriptors in flight: counted, lost to limits, refused. These tests count the open descriptors of the whole
//! process and lower its limits, so they are a program of their own, and take turns.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod bundles;
mod calls;

use std::fs::File;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use datagrammar::{Connection, Limits, RecvError, SendError, Socket, Wait, peek_len};
use datagrammar_tests::datagrams::piece;
use datagrammar_tests::leaks::{self, Parcel, Plain};
use datagrammar_tests::{Directory, InMode as _, alone, raw, scaled};
use rustix::net::SocketType;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

type Ours = Connection<Parcel, Parcel>;

fn file() -> File {
    File::open("/proc/version").unwrap()
}

fn copies(count: usize) -> Vec<OwnedFd> {
    let file = file();
    (0..count).map(|_| file.try_clone().unwrap().into()).collect()
}

/// Lowers the limit of open descriptors so that `free` more can be opened. Restores the limit when dropped.
struct Limited(Rlimit);

impl Limited {
    fn to(free: usize) -> Self {
        // All numbers below that of a descriptor opened now are in use, or will be after `holes`.
        let mut used: Vec<i32> = std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
            .collect();
        // The directory's own descriptor is closed by now.
        let probe = file();
        used.retain(|&fd| fd != probe.as_raw_fd());
        drop(probe);
        let mut limit = 0;
        let mut left = free;
        while left > 0 || used.iter().any(|&fd| fd >= limit) {
            if !used.contains(&limit) {
                // A number that stays free above the last used one would be one too many.
                if left == 0 {
                    break;
                }
                left -= 1;
            }
            limit += 1;
        }
        let before = getrlimit(Resource::Nofile);
        let lowered = Rlimit { current: Some(limit as u64), maximum: before.maximum };
        setrlimit(Resource::Nofile, lowered).unwrap();
        Self(before)
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.0).unwrap();
    }
}

#[test]
fn all_tests_pass_eagerly() {
    datagrammar_tests::pass_eagerly();
}

#[test]
fn h10_peeks_do_not_copy_descriptors() {
    let _alone = alone();
    let (mut ours, theirs) = Ours::pair().unwrap().in_mode();
    ours.send(&Parcel::Many { all: copies(3), flag: true }).unwrap();
    let before = leaks::open();
    for _ in 0..scaled(100_000) {
        assert_eq!(peek_len(&theirs).unwrap(), 3);
    }
    let mut theirs = theirs.rx;
    for _ in 0..scaled(900_000) {
        assert_eq!(theirs.peek_len(Wait::Block).unwrap(), Some(3));
    }
    assert_eq!(leaks::open(), before);
}

#[test]
fn h11_a_frame_that_lost_descriptors_is_refused_and_says_why() {
    let _alone = alone();
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let before = leaks::open();
    for free in 0..=253 {
        ours.send(&Parcel::Many { all: copies(253), flag: true }).unwrap();
        ours.send(&Parcel::Many { all: Vec::new(), flag: false }).unwrap();
        let limited = Limited::to(free);
        let result = theirs.recv().map(|frame| frame.unwrap().descriptor_count());
        drop(limited);
        if free == 253 {
            assert_eq!(result.unwrap(), 253);
        } else {
            match result.unwrap_err() {
                RecvError::DescriptorsLost { received, limit: Some(limit) } => {
                    assert_eq!(received, free);
                    assert!(limit >= free as u64);
                }
                other => panic!("{free} free: {other:?}"),
            }
        }
        // The descriptors that arrived are closed, and the next frame is in step.
        let next = theirs.recv().unwrap().unwrap().decode().unwrap();
        assert!(matches!(next, Parcel::Many { all, flag: false } if all.is_empty()));
        assert_eq!(leaks::open(), before);
    }
}

/// It was refused already, and its pieces are discarded.
#[test]
fn h11_a_refused_frame_that_loses_descriptors_is_not_refused_again() {
    let _alone = alone();
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    ours.rx.set_limits(Limits::default().frame_len(100));
    let before = leaks::open();
    let file = file();
    for _ in 0..2 {
        raw::send(&theirs, &piece(1, 200, &[2; 100])).unwrap();
        raw::send_with(&theirs, &piece(2, 100, &[2; 100]), &[&[file.as_fd()]]).unwrap();
        raw::send(&theirs, &[2, 0, 1]).unwrap();
        let limited = Limited::to(0);
        assert!(matches!(ours.recv(), Err(RecvError::TooLarge { len: 200, .. })));
        let next = ours.recv().map(|frame| frame.unwrap().len());
        drop(limited);
        assert_eq!(next.unwrap(), 3);
    }
    drop(file);
    assert_eq!(leaks::open(), before);
}

#[test]
fn h12_a_type_without_descriptors_gets_none() {
    let _alone = alone();
    let (ours, mut theirs) = Connection::<Plain, Plain>::pair().unwrap().in_mode();
    let before = leaks::open();
    // As a raw peer, and as a peer with another version of the protocol.
    let file = file();
    let raw = raw::send_with(&ours, &[1], &[&[file.as_fd()]]);
    let mut other = Ours::adopt(ours.into_fd().unwrap().0).unwrap().in_mode();
    let typed = other.send(&Parcel::Two { left: file.into(), right: None });
    if raw.is_err() {
        // Since Linux 6.16, the kernel refuses descriptors when they are sent.
        assert!(matches!(typed, Err(SendError::DescriptorsRefused { count: 1 })), "{typed:?}");
        assert!(matches!(theirs.try_recv(), Err(RecvError::WouldBlock)));
    } else {
        for _ in 0..2 {
            assert_eq!(theirs.recv().unwrap().unwrap().descriptor_count(), 0);
        }
    }
    assert_eq!(leaks::open(), before);
    // Messages without descriptors continue to work.
    raw::send(&other, &[1]).unwrap();
    theirs.recv().unwrap().unwrap().decode().unwrap();
}

#[test]
fn h12_a_listener_refuses_them_for_connections_that_it_has_not_accepted_yet() {
    let _alone = alone();
    let directory = Directory::new();
    let address = directory.address("listener");
    let listener = datagrammar::Listener::<Plain, Plain>::bind(&address).unwrap();
    let mut client = Ours::connect(&address).unwrap();
    let sent = client.send(&Parcel::Many { all: copies(2), flag: true });
    let mut server = listener.accept().unwrap();
    match sent {
        Err(SendError::DescriptorsRefused { count: 2 }) => {}
        Ok(_) => assert_eq!(server.recv().unwrap().unwrap().descriptor_count(), 0),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn h16_a_frame_in_flight_keeps_what_its_sender_has_closed() {
    let _alone = alone();
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let before = leaks::open();
    let (mut reader, writer) = std::io::pipe().unwrap();
    for _ in 0..50 {
        let left = writer.try_clone().unwrap().into();
        ours.send(&Parcel::Two { left, right: None }).unwrap();
    }
    drop(writer);
    drop(ours);
    for _ in 0..50 {
        let frame = theirs.recv().unwrap().unwrap();
        let Parcel::Two { left, .. } = frame.decode().unwrap() else { panic!() };
        std::io::Write::write_all(&mut File::from(left), b"x").unwrap();
    }
    let mut written = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut written).unwrap();
    assert_eq!(written, [b'x'; 50]);
    drop((reader, theirs));
    assert_eq!(leaks::open(), before - 2);
}

#[test]
fn h13_what_is_received_is_closed_on_exec() {
    let _alone = alone();
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    ours.send(&Parcel::Many { all: copies(5), flag: true }).unwrap();
    let Parcel::Many { all, .. } = theirs.recv().unwrap().unwrap().decode().unwrap() else {
        panic!()
    };
    for fd in all {
        let flags = rustix::io::fcntl_getfd(&fd).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
    }
}

#[test]
fn over_udp_there_are_no_descriptors() {
    let _alone = alone();
    let address = "udp:127.0.0.1:0".parse().unwrap();
    let mut ours = Socket::<Parcel, Parcel>::bind(&address).unwrap();
    let to = ours.local_addr().unwrap();
    let error = ours.send_to(&Parcel::Many { all: copies(2), flag: true }, &to).unwrap_err();
    assert!(matches!(error, SendError::NoDescriptors { count: 2, family: "UDP" }), "{error:?}");
    ours.send_to(&Parcel::Many { all: Vec::new(), flag: true }, &to).unwrap();
    assert!(matches!(ours.recv_from().unwrap().0.decode(), Ok(Parcel::Many { .. })));
}

#[test]
fn over_unix_datagrams_they_come_with_an_address() {
    let _alone = alone();
    let directory = Directory::new();
    let address = directory.address("socket");
    let mut theirs = Socket::<Parcel, Parcel>::bind(&address).unwrap();
    let mut ours = Socket::<Parcel, Parcel>::bind(&directory.address("ours")).unwrap();
    ours.send_to(&Parcel::Many { all: copies(2), flag: true }, &address).unwrap();
    let (frame, from) = theirs.recv_from().unwrap();
    assert_eq!((frame.descriptor_count(), from), (2, directory.address("ours")));
    assert!(matches!(frame.decode(), Ok(Parcel::Many { all, .. }) if all.len() == 2));
    // Descriptors do no harm to a type that has none, either.
    let plain = directory.address("plain");
    let mut theirs = Socket::<Plain, Plain>::bind(&plain).unwrap();
    let before = leaks::open();
    if ours.send_to(&Parcel::Many { all: copies(2), flag: true }, &plain).is_ok() {
        assert_eq!(theirs.recv_from().unwrap().0.descriptor_count(), 0);
    }
    assert_eq!(leaks::open(), before);
}

#[test]
fn no_descriptor_leaks() {
    let _alone = alone();
    let before = leaks::open();
    leaks::exchange(100_000);
    assert_eq!(leaks::open(), before);
}
