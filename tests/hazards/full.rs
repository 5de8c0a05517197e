//! Sockets that are full, or nearly.

use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, RecvError, SendAllError, SendError, Wait, to_vec};
use datagrammar_tests::{InMode as _, Numbered, body, numbered, raw};
use rustix::net::{SendFlags, SocketType};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// Returns how many datagrams fit while no one receives.
fn room_for(fd: impl AsFd, frame: &[u8]) -> usize {
    (0..).find(|_| rustix::net::send(&fd, frame, SendFlags::DONTWAIT).is_err()).unwrap()
}

#[test]
fn h20_a_socket_is_filled_as_far_as_by_plain_sends() {
    for len in [10, 100, 1000, 5000] {
        let body = body(7, len);
        let frame = Numbered::Numbered { number: 7, len: len as u64, body: &body };
        let bytes = to_vec(&frame).unwrap();
        let (theirs, _ours) = raw::pair(SocketType::SEQPACKET);
        let room = room_for(&theirs, &bytes);
        // The number of datagrams after which a poll is a sensible way to wait for room.
        assert!(len > 100 || room > 200, "{room} frames of {len} bytes");

        let (mut theirs, _ours) = Ours::pair().unwrap().in_mode();
        let sent = (0_usize..).find(|_| theirs.try_send(&frame).is_err()).unwrap();
        assert!(sent.abs_diff(room) <= 1, "{sent} one by one, and there is room for {room}");
        assert!(room_for(&theirs, &bytes) <= 1);

        // In bundles, at least as many fit. Those that did not fit are reported, and the others arrive.
        let (theirs, mut ours) = Ours::pair().unwrap().in_mode();
        let (mut sender, _receiver) = theirs.split();
        let stopped = sender.send_all(std::iter::repeat_n(&frame, 100_000), Wait::Try).unwrap_err();
        let SendAllError { sent, error: SendError::WouldBlock { .. }, .. } = stopped else {
            panic!("{stopped:?}")
        };
        let least = room * 3 / 4;
        assert!(sent >= least, "{sent} together, and there is room for {room} one by one");
        // As soon as there is room again, it is used.
        for _ in 0..sent {
            assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
        }
        assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
        assert_eq!(sender.send_all([&frame, &frame], Wait::Try).unwrap(), 2);
    }
}

#[test]
fn h20_who_waits_makes_progress_while_the_socket_is_nearly_full() {
    const FRAMES: u64 = 3000;
    let (theirs, ours) = Ours::pair().unwrap().in_mode();
    let (mut sender, _receiver) = theirs.split();
    let (_sender, mut receiver) = ours.split();
    let mut filled = 0;
    while numbered(filled, 100, |frame| sender.try_send(frame)).is_ok() {
        filled += 1;
    }
    let bodies: Vec<_> = (0..FRAMES).map(|number| body(number, 100)).collect();
    let frames: Vec<_> = (0..FRAMES)
        .zip(&bodies)
        .map(|(number, body)| Numbered::Numbered { number, len: 100, body })
        .skip(filled as usize)
        .collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            let (some, others) = frames.split_at(frames.len() / 2);
            assert_eq!(sender.send_all(some, Wait::Block).unwrap(), some.len());
            let far = Instant::now() + Duration::from_secs(60);
            assert_eq!(sender.send_all(others, Wait::Until(far)).unwrap(), others.len());
        });
        for number in 0..FRAMES {
            let frame = receiver.recv().unwrap().expect("a frame");
            assert_eq!(frame.decode().unwrap().check(), number);
        }
    });
}
