//! Owned frames: encoded once, kept, and forwarded.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::thread;

use datagrammar::{
    Connection, DecodeError, Message, OwnedFrame, RecvError, SendError, Socket, Wait,
};
use datagrammar_tests::{Directory, InMode as _, Numbered, numbered};

use super::kinds::{Any, Ours, expect, file, number, plain, refused};

type Owned = OwnedFrame<Any<'static>>;

#[test]
fn one_that_was_encoded_once_is_sent_to_many() {
    for (len, count) in [(5, 100), (20_000, 20), (1_000_000, 3)] {
        let frame = Owned::encode(&plain(1, len)).unwrap();
        assert_eq!(frame.bytes(), datagrammar::to_vec(&plain(1, len)).unwrap());
        assert_eq!((frame.len(), frame.descriptor_count()), (len + 2, 0));
        for _ in 0..count {
            let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
            thread::scope(|scope| {
                let sending = scope.spawn(|| ours.tx.send_frame(&frame, Wait::Block).unwrap());
                expect(&mut theirs, [1]);
                assert_eq!(sending.join().unwrap(), len + 2);
            });
        }
    }
}

#[test]
fn to_an_address_too() {
    let directory = Directory::new();
    let unix = directory.address("socket");
    for (address, len) in [(unix, 10), (unix, 1_000_000), ("udp:127.0.0.1:0".parse().unwrap(), 10)]
    {
        let mut receiver = Socket::<Any<'_>, Any<'_>>::bind(&address).unwrap();
        let to = receiver.local_addr().unwrap();
        let mut sender = Socket::<Any<'_>, Any<'_>>::unbound(&to).unwrap();
        let frame = Owned::encode(&plain(3, len)).unwrap();
        for _ in 0..3 {
            assert_eq!(sender.tx.send_frame_to(&frame, &to, Wait::Block).unwrap(), len + 2);
            let (mut received, _from) = receiver.rx.recv_owned_from(Wait::Block).unwrap();
            assert_eq!(received.bytes(), frame.bytes());
            assert_eq!(number(received.decode().unwrap()), 3);
        }
        assert!(matches!(receiver.rx.recv_owned_from(Wait::Try), Err(RecvError::WouldBlock)));
    }
}

#[test]
fn what_is_received_is_sent_on_as_it_came() {
    // From datagrams, bundles and pieces; owned at once, or later.
    let (mut first, mut relay) = Ours::pair().unwrap().in_mode();
    let (mut onward, mut last) = Ours::pair().unwrap().in_mode();
    let messages: Vec<_> = (0..300)
        .map(|number| plain(number, [3, 300, 20_000, 300_000][number as usize % 4]))
        .collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            first.tx.send_all(&messages, Wait::Block).unwrap();
            first.shutdown(std::net::Shutdown::Write).unwrap();
        });
        scope.spawn(|| {
            loop {
                let owned = relay.rx.recv_owned(Wait::Block).unwrap();
                let Some(owned) = owned else { break };
                onward.tx.send_frame(&owned, Wait::Block).unwrap();
                let Some(lent) = relay.recv().unwrap() else { break };
                onward.tx.send_frame(&lent.into_owned(), Wait::Block).unwrap();
            }
        });
        expect(&mut last, 0..300);
    });
}

#[test]
fn descriptors_are_kept_with_it_until_it_is_decoded() {
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let encoded = Owned::encode(&file(1)).unwrap();
    assert_eq!(encoded.descriptor_count(), 1);
    // Any number of times: each time, the kernel duplicates the descriptors.
    for _ in 0..3 {
        ours.tx.send_frame(&encoded, Wait::Block).unwrap();
    }
    let mut kept = theirs.rx.recv_owned(Wait::Block).unwrap().expect("a frame");
    let lent = theirs.recv().unwrap().expect("a frame");
    assert_eq!(lent.descriptor_count(), 1);
    let other = lent.into_owned();
    assert_eq!((kept.descriptor_count(), other.descriptor_count()), (1, 1));
    expect(&mut theirs, [1]);

    // Forwarded before it is decoded, but not after.
    ours.tx.send_frame(&other, Wait::Block).unwrap();
    expect(&mut theirs, [1]);
    assert_eq!(number(kept.decode().unwrap()), 1);
    assert_eq!(kept.descriptor_count(), 0);
    let taken = ours.tx.send_frame(&kept, Wait::Block).unwrap_err();
    assert!(matches!(taken, SendError::DescriptorsTaken { count: 1 }), "{taken:?}");
    assert!(!taken.is_fatal());
    let again = kept.decode().map(drop).unwrap_err();
    assert!(matches!(again, DecodeError::DescriptorsTaken { count: 1 }), "{again:?}");
    // No part of it was sent.
    expect(&mut theirs, []);
}

#[test]
fn those_that_a_field_does_not_take_are_closed_with_it_or_sent_on() {
    let (reader, writer) = std::io::pipe().unwrap();
    let message = Any::File { number: 1, file: OwnedFd::from(writer) };
    let frame = Owned::encode(&message).unwrap();
    drop(message);
    // The frame has its own copy, which keeps the pipe open.
    let readable = |timeout| {
        let mut polled = [rustix::event::PollFd::new(&reader, rustix::event::PollFlags::IN)];
        let timeout = rustix::event::Timespec { tv_sec: 0, tv_nsec: timeout };
        rustix::event::poll(&mut polled, Some(&timeout)).unwrap();
        !polled[0].revents().is_empty()
    };
    assert!(!readable(1_000_000));
    drop(frame);
    assert!(readable(0), "the descriptor is still open");
}

#[test]
fn what_cannot_be_encoded_is_no_frame() {
    Owned::encode(&refused(1)).expect_err("refused");
}

#[test]
fn a_frame_that_is_sent_waits_as_messages_do() {
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let short = Owned::encode(&plain(0, 50_000)).unwrap();
    let mut sent = 0;
    let full = loop {
        match ours.tx.send_frame(&short, Wait::Try) {
            Ok(_) => sent += 1,
            Err(full) => break full,
        }
    };
    assert!(matches!(full, SendError::WouldBlock { len: 50_002 }), "{full:?}");
    let soon = std::time::Instant::now() + std::time::Duration::from_millis(20);
    let late = ours.tx.send_frame(&short, Wait::Until(soon)).unwrap_err();
    assert!(matches!(late, SendError::TimedOut { len: 50_002 }), "{late:?}");
    expect(&mut theirs, vec![0; sent]);
    // The rest of a large frame is sent by itself.
    ours.tx.send_frame(&Owned::encode(&plain(1, 1_000_000)).unwrap(), Wait::Try).unwrap();
    assert!(ours.tx.pending() > 0);
    thread::scope(|scope| {
        scope.spawn(|| ours.tx.flush(Wait::Block).unwrap());
        expect(&mut theirs, [1]);
    });
    drop(theirs);
    let gone = ours.tx.send_frame(&short, Wait::Block).unwrap_err();
    assert!(matches!(gone, SendError::Disconnected), "{gone:?}");
}

/// Frames of one type are not those of another, but their bytes may be.
#[test]
fn a_message_that_borrows_does_so_from_the_frame() {
    let (mut ours, mut theirs) =
        Connection::<Numbered<'static>, Numbered<'static>>::pair().unwrap().in_mode();
    numbered(7, 1000, |message| ours.send(message)).unwrap();
    let mut frame = theirs.rx.recv_owned(Wait::Block).unwrap().expect("a frame");
    let bytes = frame.bytes().as_ptr_range();
    let Numbered::Numbered { body, .. } = frame.decode().unwrap();
    assert!(bytes.contains(&body.as_ptr()), "it was copied");
    // The frame may be decoded again, because it has no descriptors.
    assert_eq!(frame.decode().unwrap().check(), 7);
    assert_eq!(Numbered::decode(frame.bytes()).unwrap().check(), 7);
    // The frame can move to another thread.
    let decoded = thread::spawn(move || frame.decode().map(|message| message.check()));
    assert_eq!(decoded.join().unwrap().unwrap(), 7);
}

#[test]
fn a_file_that_comes_owned_is_the_one_that_was_sent() {
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let sent = File::open("/proc/self/exe").unwrap();
    let inode = rustix::fs::fstat(&sent).unwrap().st_ino;
    ours.send(&Any::File { number: 1, file: sent.into() }).unwrap();
    let mut frame = theirs.rx.recv_owned(Wait::Block).unwrap().expect("a frame");
    let Any::File { file, .. } = frame.decode().unwrap() else { panic!() };
    assert_eq!(rustix::fs::fstat(file.as_fd()).unwrap().st_ino, inode);
}
