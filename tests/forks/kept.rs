//! Memory that many endpoints keep together, measured in a forked copy that does nothing else.

use std::io::{self, Read as _, Write as _, pipe};

use datagrammar::{Connection, RecvError, Wait};
use datagrammar_tests::fork::{fork, resident};
use datagrammar_tests::{InMode as _, Numbered, numbered, skipped};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::alone;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// Returns the result of `task` in a forked copy of this process, where no other test allocates.
fn apart(task: impl FnOnce() -> usize) -> usize {
    let (mut read, mut write) = pipe().unwrap();
    let child = fork(|| write.write_all(&task().to_ne_bytes()).is_ok());
    drop(write);
    let mut told = [0; size_of::<usize>()];
    let came = read.read_exact(&mut told);
    child.check();
    came.unwrap();
    usize::from_ne_bytes(told)
}

/// Raises the limit of open descriptors as far as allowed. Returns the limit.
fn raise_limit() -> u64 {
    let maximum = getrlimit(Resource::Nofile).maximum;
    _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    maximum.unwrap_or(u64::MAX)
}

#[test]
fn h52_connections_in_the_middle_of_bundles_hold_little_memory_each() {
    let _alone = alone();
    const CONNECTIONS: usize = 9_900;
    let may = getrlimit(Resource::Nofile).maximum.map_or(usize::MAX, |most| most as usize);
    let count = CONNECTIONS.min(may.saturating_sub(200));
    if count < CONNECTIONS {
        skipped(format!(
            "{CONNECTIONS} connections are {count}, as no more descriptors may be open"
        ));
    }
    let each = apart(|| {
        raise_limit();
        let message = Numbered::Numbered { number: 7, len: 5, body: &[7; 5] };
        let mut open = Vec::with_capacity(count);
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
        // The rest of each bundle is still there.
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
    let _alone = alone();
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
    // The pool keeps up to 256 KiB of each of 4 lanes, and malloc keeps the memory of a frame or two.
    assert!(more < 3 * 1024 * 1024, "{more} bytes for all connections");
}
