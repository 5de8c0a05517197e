//! Both sides send without reading, and receivers that are gone with their queues full.

use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, RecvError, SendError, Socket};
use datagrammar_tests::{Directory, InMode as _, Numbered, numbered};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

#[test]
fn h21_where_both_sides_only_send_a_deadline_ends_it() {
    let (mut left, mut right) = Ours::pair().unwrap().in_mode();
    let deadline = Instant::now() + Duration::from_millis(100);
    let flood = |ours: &mut Ours| {
        loop {
            match numbered(1, 1000, |frame| ours.send_deadline(frame, deadline)) {
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    };
    let (left, right) = thread::scope(|scope| {
        let left = scope.spawn(|| flood(&mut left));
        (left.join().unwrap(), flood(&mut right))
    });
    for error in [left, right] {
        assert!(matches!(error, SendError::TimedOut { .. }), "{error:?}");
    }
}

#[test]
fn h21_who_receives_when_sending_would_block_does_not_deadlock() {
    const FRAMES: u64 = 20_000;
    // Sends, and receives while there is no room, in one thread, like the example on the crate page.
    fn both(mut ours: Ours) {
        let mut received = 0;
        let mut take = |ours: &mut Ours, deadline: Instant| {
            match ours.recv_deadline(deadline) {
                Ok(Some(frame)) => {
                    assert_eq!(frame.decode().unwrap().check(), received);
                    received += 1;
                }
                // The other side has sent and received everything.
                Ok(None) => assert_eq!(received, FRAMES),
                Err(RecvError::TimedOut) => {}
                Err(other) => panic!("{other:?}"),
            }
            received
        };
        for number in 0..FRAMES {
            while let Err(error) = numbered(number, 500, |frame| ours.try_send(frame)) {
                assert!(matches!(error, SendError::WouldBlock { .. }), "{error:?}");
                // Receiving makes room at the other side.
                take(&mut ours, Instant::now() + Duration::from_millis(1));
            }
        }
        while take(&mut ours, Instant::now() + Duration::from_secs(30)) < FRAMES {}
        // Frames that the other side has not received yet are in its queue, and stay there.
    }
    let (left, right) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| both(left));
        both(right);
    });
}

#[test]
fn h21_halves_in_two_threads_do_not_deadlock_with_frames_of_any_size() {
    let (left, right) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        for ours in [left, right] {
            let (mut tx, mut rx) = ours.split();
            scope.spawn(move || {
                for number in 0..20 {
                    numbered(number, 700_000, |frame| tx.send(frame)).unwrap();
                }
                tx
            });
            scope.spawn(move || {
                for number in 0..20 {
                    assert_eq!(rx.recv().unwrap().unwrap().decode().unwrap().check(), number);
                }
            });
        }
    });
}

#[test]
fn h03_a_peer_that_is_gone_takes_nothing_out_of_our_queue() {
    // In both directions, and never connected: a connected datagram socket would lose received datagrams
    // (net/unix/af_unix.c, unix_dgram_disconnected), so such sockets are not adopted.
    let directory = Directory::new();
    let (here, there) = (directory.address("here"), directory.address("there"));
    let mut ours = OursAlone::bind(&here).unwrap();
    let mut theirs = OursAlone::bind(&there).unwrap();
    let mut sent = 0;
    while numbered(sent, 100, |frame| theirs.try_send_to(frame, &here)).is_ok() {
        sent += 1;
    }
    assert!(sent > 0);
    drop(theirs);
    for _ in 0..3 {
        let refused = numbered(0, 10, |frame| ours.send_to(frame, &there)).unwrap_err();
        assert!(matches!(refused, SendError::Refused), "{refused:?}");
    }
    for number in 0..sent {
        assert_eq!(ours.recv_from().unwrap().0.decode().unwrap().check(), number);
    }
    assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
}
