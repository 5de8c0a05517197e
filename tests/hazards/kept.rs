//! Memory that endpoints keep: little, whatever they have received.

use std::fs;
use std::io::{self, Read as _, Write as _, pipe};
use std::thread;

use datagrammar::{Connection, RecvError, Socket, Wait};
use datagrammar_tests::fork::fork;
use datagrammar_tests::{Directory, InMode as _, Numbered, numbered, options, skipped, skips};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

/// How many bytes of memory this thread has more after `task` than before, of those that are allocated.
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
    // A receiver that is busy, and never waits, keeps no giant either.
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

/// How much memory of its own this process has, in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// What `task` returns in a forked copy of this process, where no other test takes memory.
fn apart(task: impl FnOnce() -> u64) -> u64 {
    let (mut read, mut write) = pipe().unwrap();
    let child = fork(|| write.write_all(&task().to_ne_bytes()).is_ok());
    drop(write);
    let mut told = [0; 8];
    let came = read.read_exact(&mut told);
    child.check();
    came.unwrap();
    u64::from_ne_bytes(told)
}

/// Has this process open as many descriptors as it may. How many that is.
fn raise_limit() -> u64 {
    let maximum = getrlimit(Resource::Nofile).maximum;
    _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    maximum.unwrap_or(u64::MAX)
}

#[test]
fn h52_connections_in_the_middle_of_bundles_hold_little_memory_each() {
    if skips("h52_connections_in_the_middle_of_bundles_hold_little_memory_each") {
        return;
    }
    const CONNECTIONS: u64 = 9_900;
    let may = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let count = CONNECTIONS.min(may.saturating_sub(200));
    if count < CONNECTIONS {
        skipped(format!(
            "{CONNECTIONS} connections are {count}, as no more descriptors may be open"
        ));
    }
    let each = apart(|| {
        raise_limit();
        let message = Numbered::Numbered { number: 7, len: 5, body: &[7; 5] };
        let mut open = Vec::with_capacity(count as usize);
        let before = resident();
        for at in 0..count {
            let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
            theirs.tx.send_all([&message; 64], Wait::Block).unwrap();
            drop(theirs);
            for _ in 0..2 {
                let frame = if at % 2 == 0 { ours.recv() } else { ours.try_recv() };
                assert_eq!(frame.unwrap().expect("a frame").decode().unwrap().check(), 7);
            }
            open.push(ours);
        }
        let each = (resident() - before) / count;
        // All of it is there.
        for ours in &mut open {
            for _ in 2..64 {
                assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
            }
            assert!(ours.recv().unwrap().is_none());
        }
        each
    });
    _ = writeln!(io::stderr(), "{each} bytes for each connection");
    assert!(each < 2_048, "{each} bytes for each connection");
}

#[test]
fn h52_connections_that_wait_hold_no_lane() {
    if skips("h52_connections_that_wait_hold_no_lane") {
        return;
    }
    const CONNECTIONS: usize = 500;
    const LEN: usize = 200_000;
    let more = apart(|| {
        let mut open: Vec<_> = (0..CONNECTIONS).map(|_| Ours::pair().unwrap().in_mode()).collect();
        let before = resident();
        for (theirs, ours) in &mut open {
            numbered(7, LEN, |frame| theirs.send(frame)).unwrap();
            assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
            assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
        }
        resident().saturating_sub(before)
    });
    // The pool keeps up to 256 KiB of each of 4 lanes, and malloc what it likes of one frame or two.
    assert!(more < 3 * 1024 * 1024, "{more} bytes for all connections");
}

#[test]
fn h52_what_is_owned_takes_no_more_memory_than_it_has_bytes() {
    // A small frame after a large one, whose memory is at hand.
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
