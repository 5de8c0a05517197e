//! Descriptors that others hold too: they take frames, and set options, between our calls.

use std::os::fd::AsFd as _;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Listener, OpenError, RecvError, Socket, peek_len};
use datagrammar_tests::{Directory, Numbered, Random, numbered, raw, seed};
use rustix::net::SocketType;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// What one of several receivers of the same socket got.
#[derive(Debug, Default)]
struct Ledger {
    received: Vec<u64>,
    reported_lost: u64,
}

#[test]
fn h06_a_thief_between_peek_and_receive_costs_an_error_and_no_silence() {
    const FRAMES: u64 = 100_000;
    const THIEVES: usize = 4;
    let mut random = Random(seed());
    let (mut theirs, ours) = Ours::pair().unwrap();
    let ours = ours.into_fd().unwrap().0;
    let barrier = Barrier::new(THIEVES + 1);
    let ledgers: Vec<Ledger> = thread::scope(|scope| {
        let thieves: Vec<_> = (0..THIEVES)
            .map(|_| {
                let ours = Ours::adopt(ours.try_clone().unwrap()).unwrap();
                let barrier = &barrier;
                scope.spawn(move || steal(ours, barrier))
            })
            .collect();
        barrier.wait();
        for number in 0..FRAMES {
            // Short and long by turns, so that a stolen peek is as often too short as too long.
            let len = if number % 2 == 0 { 10 } else { random.below(3000) as usize };
            numbered(number, len, |frame| theirs.send(frame)).unwrap();
        }
        drop(theirs);
        thieves.into_iter().map(|thief| thief.join().unwrap()).collect()
    });
    let lost: u64 = ledgers.iter().map(|ledger| ledger.reported_lost).sum();
    let mut received: Vec<u64> = ledgers.into_iter().flat_map(|ledger| ledger.received).collect();
    received.sort_unstable();
    assert!(received.windows(2).all(|pair| pair[0] < pair[1]), "a frame was received twice");
    println!("{} received whole, {lost} reported as lost", received.len());
    assert_eq!(received.len() as u64 + lost, FRAMES, "frames were lost in silence");
}

fn steal(mut ours: Ours, barrier: &Barrier) -> Ledger {
    let mut ledger = Ledger::default();
    barrier.wait();
    loop {
        match ours.recv() {
            Ok(Some(frame)) => ledger.received.push(frame.decode().unwrap().check()),
            Ok(None) => return ledger,
            Err(RecvError::Stolen { .. }) => ledger.reported_lost += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn h06_a_frame_taken_after_the_peek_is_an_error_with_both_lengths() {
    // Made to happen: a peek offset makes the peek report what a theft would.
    let (mut theirs, mut ours) = Ours::pair().unwrap();
    raw::set_peek_offset(&ours, 90);
    numbered(1, 97, |frame| theirs.send(frame)).unwrap();
    match ours.recv() {
        Err(RecvError::Stolen { peeked: 10, len: 100 }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn h07_a_peek_offset_is_reset_when_a_descriptor_is_adopted() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    raw::set_peek_offset(&ours, 50);
    let mut theirs = Ours::adopt(theirs).unwrap();
    let mut ours = Ours::adopt(ours).unwrap();
    for number in 0..5 {
        numbered(number, 100, |frame| theirs.send(frame)).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), number);
    }
}

#[test]
fn h07_a_peek_offset_set_later_costs_at_most_one_error_and_no_silence() {
    // Frames of one length fit the buffer that they have grown, whatever a peek says; growing ones
    // do not.
    for (growth, lost) in [(0, None), (10, Some(10))] {
        let (mut theirs, mut ours) = Ours::pair().unwrap();
        for number in 0..20 {
            numbered(number, 500 + growth * number as usize, |frame| theirs.send(frame)).unwrap();
        }
        drop(theirs);
        let mut expected = (0..20).filter(|&number| Some(number) != lost);
        for _ in 0..10 {
            let number = ours.recv().unwrap().expect("a frame").decode().unwrap().check();
            assert_eq!(Some(number), expected.next());
        }
        raw::set_peek_offset(&ours, 100);
        if lost.is_some() {
            assert!(matches!(ours.recv(), Err(RecvError::Stolen { peeked: 505, len: 605 })));
        }
        for number in expected {
            assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), number);
        }
        assert!(ours.recv().unwrap().is_none());
    }
}

#[test]
fn h07_a_deadline_holds_where_another_holder_makes_a_socket_ready_with_nothing_in_it() {
    // A peek offset past the frame: it is reset, and the frame is there.
    let (mut theirs, mut ours) = Ours::pair().unwrap();
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
    assert!(matches!(error, OpenError::TimedOut), "{error:?}");
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
    let mut ours = Ours::adopt(ours).unwrap();
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
            let (taken, _) =
                rustix::net::recv(&ours, &mut buffer[..], rustix::net::RecvFlags::empty()).unwrap();
            assert_eq!(taken, len);
        }
    }
}
