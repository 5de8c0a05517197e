//! Frames in pieces: large ones, senders that give up, senders that lie, and kernels short of memory.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, FragmentFault, Message, Receiver, RecvError, SendError, to_vec};
use datagrammar_tests::{InMode as _, Numbered, Random, limits, numbered, raw, seed, skipped};
use rustix::net::SocketType;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A message of several byte strings, each sent from where it lies, and descriptors.
#[derive(Message, Debug)]
enum Mixed<'a> {
    #[message(tag = 1)]
    Mixed {
        first: &'a [u8],
        number: u64,
        second: Option<&'a [u8]>,
        text: &'a str,
        #[message(fd)]
        files: Vec<OwnedFd>,
        #[message(rest)]
        rest: &'a [u8],
    },
}

/// A datagram with tag 0, of frame 7.
fn envelope(kind: u8, place: u64, bytes: &[u8]) -> Vec<u8> {
    [&[0, kind, 7, 0, 0, 0][..], &place.to_le_bytes(), bytes].concat()
}

/// A raw sender, and a receiver with a limit.
fn raw_and_ours(limit: usize) -> (OwnedFd, Ours) {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    ours.set_limits(limits().frame_len(limit));
    (theirs, ours)
}

#[test]
fn h19_frames_of_any_size_arrive_whole_and_in_order() {
    let mut random = Random(seed());
    let lens: Vec<usize> = (0..60)
        .map(|at| match at % 4 {
            0 => random.below(100) as usize,
            1 => random.below(300_000) as usize,
            2 => 212_000 + random.below(2_000) as usize,
            _ => random.below(3_000_000) as usize,
        })
        .collect();
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| {
            for (&len, number) in lens.iter().zip(0..) {
                numbered(number, len, |frame| theirs.send(frame)).unwrap();
            }
        });
        for (&len, number) in lens.iter().zip(0..) {
            let message = ours.recv().unwrap().expect("a frame").decode().unwrap();
            assert_eq!(message.check(), number);
            let Numbered::Numbered { body, .. } = message;
            assert_eq!(body.len(), len);
        }
    });
}

#[test]
fn h19_what_lies_in_several_places_is_one_frame() {
    let (mut theirs, mut ours) =
        Connection::<Mixed<'static>, Mixed<'static>>::pair().unwrap().in_mode();
    let bytes: Vec<u8> = (0..400_000_u32).map(|at| (at % 253) as u8).collect();
    let mixed = |random: &mut Random| {
        let mut cut = || &bytes[..random.below(400_000) as usize];
        let (first, second, rest) = (cut(), cut(), cut());
        let files = vec![File::open("/proc/version").unwrap().into()];
        Mixed::Mixed { first, number: 7, second: Some(second), text: "text", files, rest }
    };
    let seed = seed();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = Random(seed);
            for _ in 0..50 {
                theirs.send(&mixed(&mut random)).unwrap();
            }
        });
        let mut random = Random(seed);
        for _ in 0..50 {
            let expected = to_vec(&mixed(&mut random)).unwrap();
            let frame = ours.recv().unwrap().expect("a frame");
            assert_eq!(frame.descriptor_count(), 1);
            assert!(frame.bytes() == expected, "other bytes came");
            let Mixed::Mixed { files, text, .. } = frame.decode().unwrap();
            assert_eq!((files.len(), text), (1, "text"));
        }
    });
}

#[test]
fn small_frames_of_other_threads_are_never_inside_a_large_one() {
    let (theirs, ours) = Ours::pair().unwrap().in_mode();
    let (sender, _) = theirs.split();
    let (_, mut receiver) = ours.split();
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let mut sender = sender.clone();
            scope.spawn(move || {
                for turn in 0..40 {
                    // Some wait for as long as it takes, some until a deadline far away.
                    let len = if turn % 4 == thread { 500_000 } else { 20 };
                    let far = Instant::now() + Duration::from_secs(60);
                    numbered(thread * 1000 + turn, len, |frame| match turn % 2 {
                        0 => sender.send(frame),
                        _ => sender.send_deadline(frame, far),
                    })
                    .unwrap();
                }
            });
        }
        drop(sender);
        let mut next = [0; 4];
        for _ in 0..160 {
            let number = receiver.recv().unwrap().expect("a frame").decode().unwrap().check();
            let (thread, turn) = ((number / 1000) as usize, number % 1000);
            assert_eq!(turn, next[thread], "frames of a sender keep their order");
            next[thread] += 1;
        }
    });
}

#[test]
fn a_try_while_another_frame_is_under_way_would_block() {
    let (theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let (mut first, _) = theirs.split();
    let mut second = first.clone();
    thread::scope(|scope| {
        scope.spawn(move || numbered(1, 3_000_000, |frame| first.send(frame)).unwrap());
        // Begun, and not over before somebody receives.
        ours.peek_len().unwrap().expect("a frame");
        let tried = numbered(2, 5, |frame| second.try_send(frame));
        assert!(matches!(tried, Err(SendError::WouldBlock { .. })), "{tried:?}");
        let soon = Instant::now() + Duration::from_millis(20);
        let timed = numbered(2, 5, |frame| second.send_deadline(frame, soon));
        assert!(matches!(timed, Err(SendError::TimedOut { .. })), "{timed:?}");
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
        numbered(2, 5, |frame| second.send(frame)).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 2);
    });
}

#[test]
fn a_receive_that_times_out_half_way_goes_on_where_it_was() {
    let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
    let (_, mut ours): (_, Receiver<_>) = ours.split();
    thread::scope(|scope| {
        scope.spawn(|| numbered(1, 2_000_000, |frame| theirs.send(frame)).unwrap());
        let mut tries = 0;
        let mut buffer = Vec::new();
        // Every form of receiving takes part.
        let number = loop {
            let result = match tries % 3 {
                0 => ours.try_recv_into(&mut buffer),
                1 => ours.recv_deadline(Instant::now()),
                _ => ours.try_recv(),
            };
            tries += 1;
            match result {
                Ok(frame) => break frame.expect("a frame").decode().unwrap().check(),
                Err(RecvError::WouldBlock | RecvError::TimedOut) => thread::yield_now(),
                Err(other) => panic!("{other:?}"),
            }
        };
        assert_eq!(number, 1);
    });
}

#[test]
fn a_sender_that_gives_up_half_way_costs_its_own_frame_alone() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let soon = Instant::now() + Duration::from_millis(20);
    let error = numbered(1, 5_000_000, |frame| theirs.send_deadline(frame, soon)).unwrap_err();
    assert!(matches!(error, SendError::TimedOut { len } if len > 5_000_000), "{error:?}");
    thread::scope(|scope| {
        scope.spawn(|| {
            numbered(2, 10, |frame| theirs.send(frame)).unwrap();
            let soon = Instant::now() + Duration::from_millis(20);
            numbered(3, 5_000_000, |frame| theirs.send_deadline(frame, soon)).unwrap_err();
            numbered(4, 1_000_000, |frame| theirs.send(frame)).unwrap();
        });
        let incomplete = |error: RecvError| match error {
            RecvError::Incomplete { received, total } => {
                assert!(0 < received && received < total && total > 5_000_000);
            }
            other => panic!("{other:?}"),
        };
        incomplete(ours.recv().unwrap_err());
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 2);
        // Until the sender has given up, nothing is read.
        thread::sleep(Duration::from_millis(100));
        incomplete(ours.recv().unwrap_err());
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 4);
    });
}

#[test]
fn pieces_of_senders_that_take_no_turns_are_never_joined() {
    // Copies of the descriptor, as two processes may have them.
    let (theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let theirs = theirs.into_fd().unwrap().0;
    let senders =
        [theirs.try_clone().unwrap(), theirs].map(|fd| Ours::adopt(fd).unwrap().in_mode());
    thread::scope(|scope| {
        for (mut sender, number) in senders.into_iter().zip(1..) {
            scope.spawn(move || {
                for _ in 0..50 {
                    numbered(number, 400_000, |frame| sender.send(frame)).unwrap();
                }
            });
        }
        loop {
            match ours.recv() {
                // Whole, and of one sender.
                Ok(Some(frame)) => _ = frame.decode().unwrap().check(),
                Ok(None) => break,
                Err(RecvError::Incomplete { .. } | RecvError::BadFragment(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn descriptors_come_with_the_last_piece() {
    // A frame that never ends holds none of its receiver's.
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Connection::<Mixed<'static>, Mixed<'static>>::adopt(ours).unwrap().in_mode();
    let file = File::open("/proc/version").unwrap();
    let frame = [1, 0, 7, 0, 1, b't', 1, 1, 9];
    for (at, byte) in frame.iter().enumerate() {
        let (kind, place) = if at == 0 { (1, frame.len()) } else { (2, at) };
        let datagram = envelope(kind, place as u64, &[*byte]);
        match at + 1 == frame.len() {
            true => raw::send_with(&theirs, &datagram, &[&[file.as_fd()]]).unwrap(),
            false => raw::send_with(&theirs, &datagram, &[&[file.as_fd(), file.as_fd()]]).unwrap(),
        }
    }
    let received = ours.recv().unwrap().expect("a frame");
    assert_eq!((received.bytes(), received.descriptor_count()), (&frame[..], 1));
}

#[test]
fn a_sender_that_dies_half_way_is_an_error_and_then_the_end() {
    let (theirs, mut ours) = raw_and_ours(1000);
    raw::send(&theirs, &envelope(1, 1000, &[7; 600])).unwrap();
    drop(theirs);
    match ours.recv() {
        Err(RecvError::Incomplete { received: 600, total: 1000 }) => {}
        other => panic!("{other:?}"),
    }
    assert!(ours.recv().unwrap().is_none());
    assert!(ours.recv().unwrap().is_none());
}

#[test]
fn pieces_that_lie_are_refused_and_the_next_frame_is_in_step() {
    let begun = || envelope(1, 1000, &[7; 600]);
    let other = [&[0, 2, 8, 0, 0, 0][..], &600_u64.to_le_bytes(), &[7; 10]].concat();
    let cases: [(&[Vec<u8>], FragmentFault); 10] = [
        (&[envelope(1, 1000, &[])], FragmentFault::Short { len: 14 }),
        (&[vec![0]], FragmentFault::Short { len: 1 }),
        (&[vec![0, 1, 2, 3]], FragmentFault::Short { len: 4 }),
        (&[envelope(2, 600, &[7; 10])], FragmentFault::Orphan { offset: 600 }),
        (&[envelope(9, 0, &[7])], FragmentFault::Kind(9)),
        (&[envelope(3, 1, &[7])], FragmentFault::Kind(3)),
        (
            &[begun(), envelope(2, 599, &[7; 10]), envelope(2, 609, &[7; 10])],
            FragmentFault::Offset { expected: 600, found: 599 },
        ),
        (&[begun(), other], FragmentFault::OtherFrame { expected: 7, found: 8 }),
        (
            &[begun(), envelope(2, u64::MAX, &[7; 10])],
            FragmentFault::Offset { expected: 600, found: u64::MAX },
        ),
        (
            &[begun(), envelope(2, 600, &[7; 401])],
            FragmentFault::Overrun { offset: 600, len: 401, total: 1000 },
        ),
    ];
    for (datagrams, fault) in &cases {
        let (theirs, mut ours) = raw_and_ours(1000);
        for datagram in *datagrams {
            raw::send(&theirs, datagram).unwrap();
        }
        // What would have come next of the frame is dropped without another error.
        raw::send(&theirs, &envelope(2, 700, &[7; 300])).unwrap();
        raw::send(&theirs, &[1, 5, 0]).unwrap();
        match ours.recv() {
            Err(RecvError::BadFragment(found)) => assert_eq!(found, *fault),
            other => panic!("{fault:?}: {other:?}"),
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 5);
        raw::send(&theirs, &begun()).unwrap();
        raw::send(&theirs, &envelope(2, 600, &[7; 400])).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").len(), 1000);
    }
    // A first piece that is longer than the frame that it begins.
    let (theirs, mut ours) = raw_and_ours(1000);
    raw::send(&theirs, &envelope(1, 10, &[7; 11])).unwrap();
    let overrun = FragmentFault::Overrun { offset: 0, len: 11, total: 10 };
    assert!(matches!(ours.recv(), Err(RecvError::BadFragment(fault)) if fault == overrun));
    // A frame of nothing.
    raw::send(&theirs, &envelope(1, 0, &[7; 11])).unwrap();
    assert!(matches!(ours.recv(), Err(RecvError::BadFragment(_))));
}

#[test]
fn h32_the_limit_is_checked_at_the_first_piece() {
    let (theirs, mut ours) = raw_and_ours(1000);
    for (total, told) in [(1001, 1001), (1 << 63, 1 << 63), (u64::MAX, usize::MAX)] {
        raw::send(&theirs, &envelope(1, total, &[7; 900])).unwrap();
        raw::send(&theirs, &envelope(2, 900, &[7; 900])).unwrap();
        let mut refused = None;
        let counted = allocation_counter::measure(|| refused = ours.recv().err());
        // The pool's own notes, when it makes its first lanes.
        assert!(counted.bytes_total < 1000, "{counted:?}");
        match refused {
            Some(RecvError::TooLarge { len, limit: 1000 }) => assert_eq!(len, told),
            other => panic!("{other:?}"),
        }
        raw::send(&theirs, &[1, 5, 0]).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 5);
    }
}

#[test]
fn h32_a_claim_costs_no_more_memory_than_what_comes() {
    // Without a limit to speak of, room is made for what is claimed only up to 1 MiB, and then for as much
    // again as has come.
    const CLAIMED: u64 = 1 << 63;
    const PIECE: usize = 100_000;
    let (theirs, mut ours) = raw_and_ours(usize::MAX);
    let counted = allocation_counter::measure(|| {
        raw::send(&theirs, &envelope(1, CLAIMED, &[7; PIECE])).unwrap();
        for piece in 1..10 {
            assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
            let offset = piece * PIECE;
            raw::send(&theirs, &envelope(2, offset as u64, &[7; PIECE])).unwrap();
        }
        assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    });
    assert!(counted.bytes_max <= 3 * 1024 * 1024, "{counted:?}");
    drop(theirs);
    match ours.recv() {
        Err(RecvError::Incomplete { received, total }) => {
            assert_eq!((received, total as u64), (10 * PIECE, CLAIMED));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn h18_what_the_kernel_has_no_memory_for_goes_in_pieces() {
    // One datagram cannot be longer than some 4 MiB, whatever the send buffer: ENOBUFS, and not EMSGSIZE
    // (net/unix/af_unix.c allocates it in one piece).
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    rustix::net::sockopt::set_socket_send_buffer_size(&theirs, 64 * 1024 * 1024).unwrap();
    let buffer = rustix::net::sockopt::socket_send_buffer_size(&theirs).unwrap();
    if buffer < 6 * 1024 * 1024 {
        skipped("the send buffer cannot be raised here (net.core.wmem_max)");
        return;
    }
    thread::scope(|scope| {
        scope.spawn(|| numbered(1, 5_000_000, |frame| theirs.send(frame)).unwrap());
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
    });
}

#[test]
fn h18_a_small_send_buffer_means_small_pieces() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    rustix::net::sockopt::set_socket_send_buffer_size(&theirs, 0).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| numbered(1, 100_000, |frame| theirs.send(frame)).unwrap());
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
    });
}

#[test]
fn pieces_without_end_do_not_hold_a_receive_that_ends() {
    let (theirs, mut ours) = raw_and_ours(usize::MAX);
    let piece = envelope(2, 0, &[7]);
    thread::scope(|scope| {
        // Pieces of nothing: the first is an error, and the others are dropped.
        scope.spawn(|| {
            // Until nobody receives them.
            while raw::send(&theirs, &piece).is_ok() {}
        });
        assert!(matches!(ours.recv(), Err(RecvError::BadFragment(_))));
        for _ in 0..5 {
            let result = ours.recv_deadline(Instant::now() + Duration::from_millis(1));
            assert!(matches!(result, Err(RecvError::TimedOut)), "{result:?}");
            let result = ours.try_recv();
            assert!(matches!(result, Err(RecvError::WouldBlock)), "{result:?}");
        }
        drop(ours);
    });
}

#[test]
fn a_large_frame_gets_its_turn_among_small_ones_without_end() {
    let (theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let (mut large, _) = theirs.split();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            let (mut small, stop) = (large.clone(), &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    numbered(1, 10, |frame| small.send(frame)).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..5 {
                let deadline = Instant::now() + Duration::from_secs(20);
                numbered(2, 1_000_000, |frame| large.send_deadline(frame, deadline)).unwrap();
            }
            stop.store(true, Ordering::Relaxed);
            drop(large);
        });
        let mut large = 0;
        while let Some(frame) = ours.recv().unwrap() {
            large += frame.decode().unwrap().check() / 2;
        }
        assert_eq!(large, 5);
    });
}

#[test]
fn h19_descriptors_beside_a_piece_that_is_not_the_last_are_not_kept() {
    // The pipe's other end tells when its copy is closed.
    type IsExpected = fn(&RecvError) -> bool;
    let outcomes: [(Vec<u8>, IsExpected); 3] = [
        (envelope(1, 4, &[1, 2]), |error| matches!(error, RecvError::WouldBlock)),
        (envelope(2, 4, &[1, 2]), |error| matches!(error, RecvError::BadFragment(_))),
        (vec![0; 3], |error| matches!(error, RecvError::BadFragment(_))),
    ];
    for (datagram, is_expected) in outcomes {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let ours = Connection::<Mixed<'static>, Mixed<'static>>::adopt(ours).unwrap().in_mode();
        let (_sender, mut ours) = ours.split();
        let (mut left, right) = std::io::pipe().unwrap();
        raw::send_with(&theirs, &datagram, &[&[right.as_fd()]]).unwrap();
        drop(right);
        let error = ours.try_recv().unwrap_err();
        assert!(is_expected(&error), "{error:?}");
        rustix::io::ioctl_fionbio(&left, true).unwrap();
        let closed = std::io::Read::read(&mut left, &mut [0]);
        assert!(matches!(closed, Ok(0)), "{datagram:?}: {closed:?}");
    }
}
