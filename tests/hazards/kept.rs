//! The memory that endpoints keep: little, whatever they have received.

use std::thread;

use datagrammar::{Connection, RecvError, Socket, Wait};
use datagrammar_tests::{Directory, InMode as _, Numbered, numbered, options};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

/// Returns how many more bytes are allocated by this thread after `task` than before.
fn kept(task: impl FnOnce()) -> i64 {
    allocation_counter::measure(task).bytes_current
}

#[test]
fn h52_memory_returns_after_a_giant_on_a_connection() {
    for giant in [3_000_000, 15_000_000] {
        let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
        thread::scope(|scope| {
            let sending = scope.spawn(move || {
                numbered(1, giant, |frame| theirs.send(frame)).unwrap();
                numbered(2, 10, |frame| theirs.send(frame)).unwrap();
                theirs
            });
            let kept = kept(|| {
                for number in 1..=2 {
                    let frame = ours.recv().unwrap().expect("a frame");
                    assert_eq!(frame.decode().unwrap().check(), number);
                }
                assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
            });
            assert!(kept < 1024, "{kept} bytes are kept after {giant}");
            drop(sending.join().unwrap());
        });
    }
}

#[test]
fn h52_memory_returns_after_a_giant_on_a_socket_by_itself() {
    let directory = Directory::new();
    for (address, giant) in [
        (directory.address("small"), 3_000_000),
        (directory.address("large"), 15_000_000),
        ("udp:127.0.0.1:0".parse().unwrap(), 65_000),
    ] {
        let mut ours = OursAlone::bind_with(&address, &options()).unwrap();
        let to = ours.local_addr().unwrap();
        let mut theirs = OursAlone::unbound(&to).unwrap();
        numbered(1, giant, |frame| theirs.send_to(frame, &to)).unwrap();
        numbered(2, 10, |frame| theirs.send_to(frame, &to)).unwrap();
        let kept = kept(|| {
            for number in 1..=2 {
                assert_eq!(ours.recv_from().unwrap().0.decode().unwrap().check(), number);
            }
            assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
        });
        assert!(kept < 1024, "{kept} bytes are kept after {giant}, at {to}");
    }
}

#[test]
fn h52_what_is_lent_to_nobody_goes_with_the_next_frame() {
    // A busy receiver that never waits does not keep a giant buffer either.
    let directory = Directory::new();
    let to = directory.address("socket");
    let mut ours = OursAlone::bind_with(&to, &options()).unwrap();
    let mut theirs = OursAlone::unbound(&to).unwrap();
    numbered(1, 15_000_000, |frame| theirs.send_to(frame, &to)).unwrap();
    numbered(2, 1000, |frame| theirs.send_to(frame, &to)).unwrap();
    let kept = kept(|| {
        for number in 1..=2 {
            assert_eq!(ours.recv_from().unwrap().0.decode().unwrap().check(), number);
        }
    });
    assert!(kept < 10_000, "{kept} bytes are kept");
}

#[test]
fn h52_what_is_owned_takes_no_more_memory_than_it_has_bytes() {
    // A small frame after a large one, whose memory could be reused.
    for try_all in [false, true] {
        let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
        let sending = thread::spawn(move || {
            numbered(1, 3_000_000, |frame| theirs.send(frame)).unwrap();
            numbered(2, 10, |frame| theirs.send(frame)).unwrap();
            theirs
        });
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
        let _theirs = sending.join().unwrap();
        let wait = if try_all { Wait::Try } else { Wait::Block };
        let mut owned = None;
        let kept = kept(|| {
            owned = ours.rx.recv_owned(wait).unwrap();
            drop(ours);
        });
        assert_eq!(owned.expect("a frame").decode().unwrap().check(), 2);
        assert!(kept < -2_900_000, "{kept} bytes are kept by a small frame");
    }
}
