//! Descriptors that others hold too: they take frames, and set options, between our calls.

use std::os::fd::AsFd as _;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{
    AcceptError, Connection, Limits, Listener, Message as _, RecvError, Socket, peek_len,
};
use datagrammar_tests::{Directory, InMode as _, Numbered, Random, numbered, raw, scaled, seed};
use rustix::net::{RecvFlags, SocketType};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

#[test]
fn h06_thieves_of_each_others_frames_lose_none() {
    const THIEVES: usize = 4;
    let mut random = Random(seed());
    let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
    let (ours, _) = ours.into_fd().unwrap();
    let frames = scaled(1_000_000);
    let barrier = Barrier::new(THIEVES + 1);
    let mut received: Vec<u64> = thread::scope(|scope| {
        let thieves: Vec<_> = (0..THIEVES)
            .map(|thief| {
                let ours = Ours::adopt(ours.try_clone().unwrap()).unwrap().in_mode();
                let barrier = &barrier;
                scope.spawn(move || steal(ours, thief, barrier))
            })
            .collect();
        barrier.wait();
        for number in 0..frames {
            // Short and long by turns, so that a stolen peek is as often too short as too long.
            let len = if number % 2 == 0 { 10 } else { random.below(3000) as usize };
            numbered(number, len, |frame| theirs.send(frame)).unwrap();
        }
        drop(theirs);
        thieves.into_iter().flat_map(|thief| thief.join().unwrap()).collect()
    });
    received.sort_unstable();
    assert!(received.iter().copied().eq(0..frames), "{} of {frames} came", received.len());
}

/// The numbers of the frames that came, by one form of receiving or another.
fn steal(ours: Ours, thief: usize, barrier: &Barrier) -> Vec<u64> {
    let (_, mut receiver) = ours.split();
    let mut received = Vec::new();
    let mut buffer = Vec::new();
    barrier.wait();
    loop {
        match thief {
            0 => match receiver.recv_into(&mut buffer).unwrap() {
                Some(frame) => received.push(frame.decode().unwrap().check()),
                None => return received,
            },
            1 => match receiver.recv_batch().unwrap() {
                Some(frames) => {
                    received.extend(frames.map(|frame| frame.decode().unwrap().check()));
                }
                None => return received,
            },
            _ => match receiver.recv().unwrap() {
                Some(frame) => received.push(frame.decode().unwrap().check()),
                None => return received,
            },
        }
    }
}

#[test]
fn h06_a_call_takes_no_more_frames_than_it_may() {
    for batch in [1, 2, 7, 31, 32, 33] {
        let (mut theirs, mut ours) = Ours::pair().unwrap();
        ours.set_limits(Limits::default().batch(batch));
        let copy = ours.as_fd().try_clone_to_owned().unwrap();
        for number in 0..70 {
            numbered(number, 10, |frame| theirs.send(frame)).unwrap();
        }
        let mut taken = 0;
        for number in 0..35 {
            let frame = ours.recv().unwrap().expect("a frame");
            assert_eq!(frame.decode().unwrap().check(), number);
            // The next one that is there is told by the other descriptor.
            let mut next = [0; 100];
            let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
            let (len, _) = rustix::net::recv(&copy, &mut next[..], flags).unwrap();
            let next = Numbered::decode(&next[..len]).unwrap().check();
            let most = if number < taken { 0 } else { batch.min(32) as u64 };
            assert!(next - taken <= most, "{next} after {taken}");
            taken = next;
        }
        assert!(taken >= 35 && taken < 35 + batch as u64);
    }
}

#[test]
fn h06_a_frame_in_the_place_of_the_peeked_one_comes_whole() {
    // Made to happen: a peek offset makes the peek report what a theft would.
    let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
    let (_, mut ours) = ours.split();
    let mut buffer = Vec::new();
    for number in 1..7 {
        raw::set_peek_offset(&ours, 90);
        numbered(number, 97, |frame| theirs.send(frame)).unwrap();
        let frame = match number % 2 {
            0 => ours.recv().unwrap(),
            _ => ours.recv_into(&mut buffer).unwrap(),
        };
        assert_eq!(frame.expect("a frame").decode().unwrap().check(), number);
    }
}

#[test]
fn h07_a_peek_offset_is_reset_when_a_descriptor_is_adopted() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    raw::set_peek_offset(&ours, 50);
    let mut theirs = Ours::adopt(theirs).unwrap().in_mode();
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    for number in 0..5 {
        numbered(number, 100, |frame| theirs.send(frame)).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), number);
    }
}

#[test]
fn h07_a_peek_offset_set_later_costs_nothing() {
    // Frames of one length, and growing ones, which do not fit what a peek tells.
    for growth in [0, 10] {
        let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
        for number in 0..20 {
            numbered(number, 500 + growth * number as usize, |frame| theirs.send(frame)).unwrap();
        }
        drop(theirs);
        for number in 0..20 {
            if number == 10 {
                raw::set_peek_offset(&ours, 100);
            }
            assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), number);
        }
        assert!(ours.recv().unwrap().is_none());
    }
}

#[test]
fn h07_a_deadline_holds_where_another_holder_makes_a_socket_ready_with_nothing_in_it() {
    // A peek offset past the frame: it is reset, and the frame is there.
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    raw::set_peek_offset(&ours, 1000);
    numbered(1, 10, |frame| theirs.send(frame)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let frame = ours.recv_deadline(deadline).unwrap().expect("a frame");
    assert_eq!(frame.decode().unwrap().check(), 1);

    // Sockets that were shut down are ready for ever, and those by themselves have no end to tell.
    let directory = Directory::new();
    let soon = || Instant::now() + Duration::from_millis(50);
    for address in [directory.address("socket"), "udp:127.0.0.1:0".parse().unwrap()] {
        let mut ours = Socket::<Numbered<'_>, Numbered<'_>>::bind(&address).unwrap();
        _ = rustix::net::shutdown(&ours, rustix::net::Shutdown::Read);
        let error = ours.recv_from_deadline(soon()).unwrap_err();
        assert!(matches!(error, RecvError::TimedOut), "{error:?}");
        assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
    }
    let address = directory.address("listener");
    let listener = Listener::<Numbered<'_>, Numbered<'_>>::bind(&address).unwrap();
    rustix::net::shutdown(&listener, rustix::net::Shutdown::Read).unwrap();
    let error = listener.accept_deadline(soon()).unwrap_err();
    assert!(matches!(error, AcceptError::Shutdown), "{error:?}");
}

#[test]
fn h07_the_public_peek_refuses_a_socket_with_a_peek_offset() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    raw::send(&theirs, &[0; 100]).unwrap();
    raw::set_peek_offset(&ours, 10);
    let error = peek_len(&ours).unwrap_err();
    assert!(error.to_string().contains("with a peek offset of 10"), "{error}");
    raw::set_peek_offset(&ours, -1);
    assert_eq!(peek_len(&ours).unwrap(), 100);
}

#[test]
fn h08_a_receiver_tells_the_length_of_frames_whatever_their_bytes_are() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    let head = |first: u8, kind: u8| [&[first, kind][..], &[9; 20]].concat();
    for frame in [vec![1], vec![1, 1, 9], head(1, 1), head(1, 2), head(2, 1), head(250, 3)] {
        raw::send(&theirs, &frame).unwrap();
        assert_eq!(ours.peek_len().unwrap(), Some(frame.len()));
        assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), frame);
    }
}

#[test]
fn h08_a_peek_tells_the_length_of_the_next_frame_and_not_of_the_queue() {
    let mut random = Random(seed());
    for kind in [SocketType::SEQPACKET, SocketType::DGRAM] {
        let (theirs, ours) = raw::pair(kind);
        let lens: Vec<usize> = (0..9).map(|_| 1 + random.below(9000) as usize).collect();
        for &len in &lens {
            raw::send(&theirs, &vec![0; len]).unwrap();
        }
        let mut buffer = vec![0; 9000];
        for len in lens {
            assert_eq!(peek_len(&ours).unwrap(), len);
            assert_eq!(peek_len(ours.as_fd()).unwrap(), len, "a peek takes nothing");
            let (taken, _) = rustix::net::recv(&ours, &mut buffer[..], RecvFlags::empty()).unwrap();
            assert_eq!(taken, len);
        }
    }
}
