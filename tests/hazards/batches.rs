//! Batches that are left half-way, ends that fill them, and what they must not contain.

use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, FragmentFault, Receiver, RecvError};
use datagrammar_tests::{InMode as _, Numbered, is_one_frame, limits, numbered, raw};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurReceiver = Receiver<Numbered<'static>>;

/// Two ends of which ours expects many, as it has received some before.
fn flooded() -> (Ours, OurReceiver) {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    numbered(0, 10, |frame| theirs.send(frame)).unwrap();
    assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 0);
    (theirs, ours.split().1)
}

/// Sends frames 1 to `count`.
fn send(theirs: &mut Ours, count: u64) {
    for number in 1..=count {
        numbered(number, (number * 37 % 1000) as usize, |frame| theirs.send(frame)).unwrap();
    }
}

/// The number of the next frame, by one form of receiving or another.
fn next(ours: &mut OurReceiver, form: u64) -> u64 {
    let soon = Instant::now() + Duration::from_secs(30);
    let mut buffer = Vec::new();
    let frame = match form % 9 {
        0 => ours.recv().unwrap(),
        1 => ours.try_recv().unwrap(),
        2 => ours.recv_deadline(soon).unwrap(),
        3 => ours.recv_into(&mut buffer).unwrap(),
        4 => ours.try_recv_into(&mut buffer).unwrap(),
        5 => ours.recv_into_deadline(&mut buffer, soon).unwrap(),
        6 => ours.recv_batch().unwrap().and_then(|mut frames| frames.next()),
        7 => ours.try_recv_batch().unwrap().and_then(|mut frames| frames.next()),
        _ => ours.recv_batch_deadline(soon).unwrap().and_then(|mut frames| frames.next()),
    };
    frame.expect("a frame").decode().unwrap().check()
}

/// The end, in all forms, however often one asks.
fn assert_ended(ours: &mut OurReceiver) {
    let soon = Instant::now() + Duration::from_secs(30);
    for _ in 0..2 {
        assert!(ours.recv().unwrap().is_none());
        assert!(ours.recv_batch().unwrap().is_none());
        assert!(ours.peek_len(datagrammar::Wait::Block).unwrap().is_none());
        assert!(ours.try_recv().unwrap().is_none());
        assert!(ours.try_recv_batch().unwrap().is_none());
        assert!(ours.recv_into(&mut Vec::new()).unwrap().is_none());
        assert!(ours.try_recv_into(&mut Vec::new()).unwrap().is_none());
        assert!(ours.recv_deadline(soon).unwrap().is_none());
        assert!(ours.recv_batch_deadline(soon).unwrap().is_none());
    }
}

#[test]
fn h41_what_is_not_taken_from_a_batch_is_what_is_received_next() {
    for sent in 1..=40 {
        for taken in 0..=sent {
            let (mut theirs, mut ours) = flooded();
            send(&mut theirs, sent);
            let mut expected = 1..=sent;
            let mut left = taken as usize;
            while left > 0 {
                let frames = ours.recv_batch().unwrap().expect("frames");
                assert!((1..=32).contains(&frames.len()));
                for frame in frames.take(left) {
                    assert_eq!(Some(frame.decode().unwrap().check()), expected.next());
                    left -= 1;
                }
            }
            // A batch of which nothing is taken takes nothing.
            if taken < sent {
                assert!(ours.recv_batch().unwrap().is_some());
            }
            for number in expected {
                assert_eq!(next(&mut ours, sent + taken + number), number, "{taken} of {sent}");
            }
            assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
        }
    }
}

#[test]
fn h41_a_batch_tells_how_many_there_are_and_all_can_be_held_at_once() {
    let (mut theirs, mut ours) = flooded();
    send(&mut theirs, 40);
    let frames = ours.recv_batch().unwrap().expect("frames");
    let count = if is_one_frame() { 1 } else { 32 };
    assert_eq!((frames.len(), frames.size_hint()), (count, (count, Some(count))));
    let all: Vec<_> = frames.collect();
    for (frame, number) in all.into_iter().zip(1..) {
        assert_eq!(frame.decode().unwrap().check(), number);
    }
    assert_eq!(next(&mut ours, 0), count as u64 + 1);
}

#[test]
fn h41_the_end_fills_every_place_of_a_batch_and_is_told_after_what_came_before_it() {
    /// What a peer does.
    #[derive(Debug, Clone, Copy)]
    enum Deed {
        Send,
        SendEmpty,
    }
    let orders = (0..=5_u32).flat_map(|len| {
        (0..1_u32 << len).map(move |bits| {
            let deeds = (0..len).map(move |at| match bits >> at & 1 {
                0 => Deed::Send,
                _ => Deed::SendEmpty,
            });
            deeds.collect::<Vec<_>>()
        })
    });
    for (order, form) in orders.zip(0..) {
        let (theirs, mut ours) = flooded();
        let mut number = 0;
        for deed in &order {
            match deed {
                Deed::Send => {
                    number += 1;
                    raw::send(&theirs, &[1, number, 1, number]).unwrap();
                }
                Deed::SendEmpty => raw::send(&theirs, &[]).unwrap(),
            }
        }
        drop(theirs);
        // An empty datagram cannot be told from the end.
        let frames = order.iter().take_while(|deed| matches!(deed, Deed::Send)).count();
        for number in 1..=frames as u64 {
            assert_eq!(next(&mut ours, form + number), number, "{order:?}");
        }
        // What comes after one may come, too.
        while ours.recv().unwrap().is_some() {}
        assert_ended(&mut ours);
    }
}

#[test]
fn h41_a_batch_ends_before_what_is_no_frame_by_itself_and_that_comes_next() {
    const LIMIT: usize = 100;
    let piece = |kind: u8, place: u64, bytes: &[u8]| {
        [&[0, kind, 7, 0, 0, 0][..], &place.to_le_bytes(), bytes].concat()
    };
    let plain = || vec![1, 7, 1, 7];
    // What is in the way, and what it comes to.
    type Check = fn(Result<Option<Vec<u8>>, RecvError>);
    let obstacles: [(Vec<Vec<u8>>, Check); 5] = [
        (vec![vec![1; LIMIT + 1]], |received| {
            assert!(matches!(received, Err(RecvError::TooLarge { len: 101, limit: LIMIT })));
        }),
        (vec![vec![1; 5 * LIMIT]], |received| {
            assert!(matches!(received, Err(RecvError::TooLarge { len: 500, limit: LIMIT })));
        }),
        (vec![piece(1, 4, &[1, 7]), piece(2, 2, &[1, 7])], |received| {
            assert_eq!(received.unwrap(), Some(vec![1, 7, 1, 7]));
        }),
        (vec![vec![0; 3]], |received| {
            let short = FragmentFault::Short { len: 3 };
            assert!(matches!(received, Err(RecvError::BadFragment(fault)) if fault == short));
        }),
        (vec![piece(1, 4, &[1, 7])], |received| {
            assert!(matches!(received, Err(RecvError::Incomplete { received: 2, total: 4 })));
        }),
    ];
    for before in 0..=3 {
        for (obstacle, check) in &obstacles {
            let (theirs, mut ours) = flooded();
            ours.set_limits(limits().frame_len(LIMIT));
            let plains = |count| std::iter::repeat_with(plain).take(count);
            for datagram in plains(before).chain(obstacle.iter().cloned()).chain(plains(2)) {
                raw::send(&theirs, &datagram).unwrap();
            }
            let mut left = before;
            while left > 0 {
                let frames = ours.recv_batch().unwrap().expect("frames");
                assert!(frames.len() <= left, "a batch goes past what is no plain frame");
                left -= frames.inspect(|frame| assert_eq!(frame.bytes(), plain())).count();
            }
            check(ours.recv_batch().map(|frames| {
                let mut frames = frames?;
                assert_eq!(frames.len(), 1);
                frames.next().map(|frame| frame.bytes().to_vec())
            }));
            for form in 0..2 {
                assert_eq!(next(&mut ours, form), 7);
            }
            assert!(matches!(ours.try_recv_batch(), Err(RecvError::WouldBlock)));
        }
    }
}

#[test]
fn h41_a_panic_while_a_batch_is_out_loses_no_more_than_what_was_taken() {
    for taken in 1..=20 {
        let (mut theirs, mut ours) = flooded();
        send(&mut theirs, 20);
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
            let mut left = taken;
            loop {
                for frame in ours.recv_batch().unwrap().expect("frames") {
                    frame.decode().unwrap().check();
                    left -= 1;
                    if left == 0 {
                        panic::resume_unwind(Box::new(()));
                    }
                }
            }
        }));
        panicked.expect_err("a panic");
        for number in taken + 1..=20 {
            assert_eq!(next(&mut ours, number), number);
        }
    }
}

#[test]
fn h41_receivers_move_between_threads_with_what_waits_in_them() {
    const CONNECTIONS: u64 = 100;
    let mut connections: Vec<_> = (0..CONNECTIONS)
        .map(|at| {
            let (mut theirs, mut ours) = flooded();
            send(&mut theirs, 30);
            // Some are left in the middle of a batch, and their lanes are not the thread's.
            for number in 1..=at % 25 {
                assert_eq!(next(&mut ours, 6), number);
            }
            (theirs, ours)
        })
        .collect();
    let others = connections.split_off(CONNECTIONS as usize / 2);
    let drain = |connections: Vec<(Ours, OurReceiver)>, first: u64| {
        for ((theirs, mut ours), at) in connections.into_iter().zip(first..) {
            for number in at % 25 + 1..=30 {
                assert_eq!(next(&mut ours, number), number);
            }
            drop(theirs);
            assert_ended(&mut ours);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| drain(connections, 0));
        scope.spawn(|| drain(others, CONNECTIONS / 2));
    });
}

#[test]
fn h41_a_peer_that_closes_with_unread_input_loses_none_of_a_batch() {
    // The kernel reports a reset before the frames: in a call for many, as in a call for one.
    for sent in 0..=40 {
        for unread in 0..2 {
            let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
            let (mut sender, mut ours) = ours.split();
            numbered(0, 10, |frame| theirs.send(frame)).unwrap();
            assert_eq!(next(&mut ours, 0), 0);
            for _ in 0..unread {
                numbered(0, 10, |frame| sender.send(frame)).unwrap();
            }
            send(&mut theirs, sent);
            drop(theirs);
            for number in 1..=sent {
                assert_eq!(next(&mut ours, number + sent), number);
            }
            assert_ended(&mut ours);
        }
    }
}

/// Has the kernel deny this thread the call that receives many, as a filter of system calls does.
fn deny_many(errno: i32) {
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let mut steps = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, libc::SYS_recvmmsg as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let filter = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: no memory is involved.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }, 0);
    // SAFETY: `filter` and its steps outlive the call, which copies them.
    let result =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn h41_where_the_call_for_many_is_denied_what_waits_is_received_all_the_same() {
    for errno in [libc::EPERM, libc::ENOSYS] {
        let denied = thread::spawn(move || {
            deny_many(errno);
            for form in 0..9 {
                let (mut theirs, mut ours) = flooded();
                send(&mut theirs, 40);
                for number in 1..=40 {
                    assert_eq!(next(&mut ours, form), number);
                }
                drop(theirs);
                assert_ended(&mut ours);
            }
        });
        denied.join().unwrap();
    }
}
