//! Descriptors that other processes hold too: they take frames, and set options, between our calls.

use std::os::fd::AsFd as _;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{
    AcceptError, Connection, Listener, Message as _, RecvError, Socket, Wait, peek_len,
};
use datagrammar_tests::{
    Directory, InMode as _, Numbered, Random, body, numbered, raw, scaled, seed,
};
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
        let mut number = 0;
        while number < frames {
            // Short and long datagrams alternate, so that a stolen peek is as often too short as too long: frames,
            // bundles, and sometimes one that is nearly as long as a datagram can be.
            let count = if random.below(2) == 0 { 1 } else { 1 + random.below(40) };
            let bodies: Vec<_> = (number..frames.min(number + count))
                .map(|number| {
                    let len = match random.below(500) {
                        0 => random.below(200_000),
                        1..200 => random.below(3000),
                        _ => random.below(20),
                    };
                    (number, body(number, len as usize))
                })
                .collect();
            number += bodies.len() as u64;
            let messages: Vec<_> = bodies
                .iter()
                .map(|(number, body)| Numbered::Numbered {
                    number: *number,
                    len: body.len() as u64,
                    body,
                })
                .collect();
            assert_eq!(theirs.tx.send_all(&messages, Wait::Block).unwrap(), messages.len());
        }
        drop(theirs);
        thieves.into_iter().flat_map(|thief| thief.join().unwrap()).collect()
    });
    received.sort_unstable();
    assert!(received.iter().copied().eq(0..frames), "{} of {frames} came", received.len());
}

/// Returns the numbers of the received frames, in one form of receiving or another.
fn steal(ours: Ours, thief: usize, barrier: &Barrier) -> Vec<u64> {
    let (_, mut receiver) = ours.split();
    let mut received = Vec::new();
    barrier.wait();
    loop {
        let frame = match thief {
            0 => {
                let Some(mut frame) = receiver.recv_owned(Wait::Block).unwrap() else {
                    return received;
                };
                received.push(frame.decode().unwrap().check());
                continue;
            }
            1 => match receiver.try_recv() {
                Err(RecvError::WouldBlock) => {
                    thread::yield_now();
                    continue;
                }
                tried => tried,
            },
            2 => {
                // If another holder takes the peeked datagram, the next one is received whole.
                receiver.peek_len(Wait::Block).unwrap();
                receiver.recv()
            }
            _ => receiver.recv(),
        };
        match frame.unwrap() {
            Some(frame) => received.push(frame.decode().unwrap().check()),
            None => return received,
        }
    }
}

#[test]
fn h06_thieves_of_pieces_join_none_that_do_not_belong_together() {
    const THIEVES: usize = 4;
    const LARGE: u64 = 1 << 32;
    let rounds = scaled(40_000);
    let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
    let (ours, _) = ours.into_fd().unwrap();
    let (received, large) = thread::scope(|scope| {
        let thieves: Vec<_> = (0..THIEVES)
            .map(|_| {
                let mut ours = Ours::adopt(ours.try_clone().unwrap()).unwrap().in_mode();
                scope.spawn(move || {
                    let mut received = Vec::new();
                    loop {
                        match ours.recv() {
                            Ok(Some(frame)) => received.push(frame.decode().unwrap().check()),
                            Ok(None) => return received,
                            // A piece that another holder has taken.
                            Err(RecvError::Incomplete { .. } | RecvError::BadFragment(_)) => {}
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        drop(ours);
        rustix::net::sockopt::set_socket_send_buffer_size(&theirs, 16 * 1024).unwrap();
        for number in 0..rounds {
            numbered(number, 10, |frame| theirs.send(frame)).unwrap();
            if number % 10 == 0 {
                numbered(LARGE + number, 40_000, |frame| theirs.send(frame)).unwrap();
            }
        }
        drop(theirs);
        let all = thieves.into_iter().flat_map(|thief| thief.join().unwrap());
        let (mut small, large): (Vec<_>, Vec<_>) = all.partition(|&number| number < LARGE);
        small.sort_unstable();
        (small, large.len())
    });
    // A frame in one datagram is not lost because other holders have pieces of another frame.
    assert!(received.iter().copied().eq(0..rounds), "{} of {rounds} came", received.len());
    assert!(large as u64 <= rounds / 10);
}

#[test]
fn h06_a_call_takes_no_datagram_that_it_does_not_need() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let copy = ours.as_fd().try_clone_to_owned().unwrap();
    for number in 0..70 {
        numbered(number, 10, |frame| theirs.send(frame)).unwrap();
    }
    for number in 0..69 {
        if number % 3 == 0 {
            ours.rx.peek_len(Wait::Block).unwrap().expect("a frame");
        }
        let frame = match number % 2 {
            0 => ours.recv().unwrap(),
            _ => ours.try_recv().unwrap(),
        };
        assert_eq!(frame.expect("a frame").decode().unwrap().check(), number);
        // The next frame is there, as the other descriptor shows.
        let mut next = [0; 100];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let (len, _) = rustix::net::recv(&copy, &mut next[..], flags).unwrap();
        assert_eq!(Numbered::decode(&next[..len]).unwrap().check(), number + 1);
    }
}

#[test]
fn h06_a_frame_in_the_place_of_the_peeked_one_comes_whole() {
    // Forced: a peek offset makes the peek report the same as a theft would.
    let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
    let (_, mut ours) = ours.split();
    let soon = || Instant::now() + Duration::from_secs(30);
    for number in 1..10 {
        raw::set_peek_offset(&ours, 90);
        numbered(number, 97, |frame| theirs.send(frame)).unwrap();
        let frame = match number % 3 {
            0 => ours.recv().unwrap(),
            1 => ours.recv_deadline(soon()).unwrap(),
            _ => ours.try_recv().unwrap(),
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
    // Frames of one length, and growing ones, which do not match the peeked length.
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
    // A peek offset past the frame is reset, and the frame is received.
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    raw::set_peek_offset(&ours, 1000);
    numbered(1, 10, |frame| theirs.send(frame)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let frame = ours.recv_deadline(deadline).unwrap().expect("a frame");
    assert_eq!(frame.decode().unwrap().check(), 1);

    // A socket that another holder has shut down is always ready.
    let directory = Directory::new();
    let far = || Instant::now() + Duration::from_secs(30);
    for address in [directory.address("socket"), "udp:127.0.0.1:0".parse().unwrap()] {
        let mut ours = Socket::<Numbered<'_>, Numbered<'_>>::bind(&address).unwrap();
        _ = rustix::net::shutdown(&ours, rustix::net::Shutdown::Read);
        let error = ours.recv_from_deadline(far()).unwrap_err();
        assert!(matches!(error, RecvError::Shutdown), "{error:?}");
        assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
    }
    let address = directory.address("listener");
    let listener = Listener::<Numbered<'_>, Numbered<'_>>::bind(&address).unwrap();
    rustix::net::shutdown(&listener, rustix::net::Shutdown::Read).unwrap();
    let error = listener.accept_deadline(far()).unwrap_err();
    assert!(matches!(error, AcceptError::Shutdown), "{error:?}");
}

#[test]
fn h07_a_peek_offset_past_the_frame_hides_its_length_from_no_peek_that_ends() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    for _ in 0..3 {
        raw::set_peek_offset(&ours, 1000);
        numbered(1, 10, |frame| theirs.send(frame)).unwrap();
        let soon = Instant::now() + Duration::from_secs(60);
        assert_eq!(ours.rx.peek_len(Wait::Until(soon)).unwrap(), Some(13));
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
    }
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
        assert_eq!(ours.rx.peek_len(Wait::Block).unwrap(), Some(frame.len()));
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
