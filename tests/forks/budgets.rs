//! Budgets of forked copies.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use datagrammar::{AcceptError, Budget, Connection, Listener, RecvError, Wait};
use datagrammar_tests::datagrams::piece;
use datagrammar_tests::fork::fork;
use datagrammar_tests::{Directory, Numbered, numbered, options, raw};
use rustix::net::SocketType;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::alone;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;

#[test]
fn h51_an_accept_that_fails_leaves_its_place() {
    let _alone = alone();
    let directory = Directory::new();
    let address = directory.address("socket");
    let budget = Budget::new().connections(1);
    let listener = OurListener::bind_with(&address, &options().budget(&budget)).unwrap();
    let client = Ours::connect(&address).unwrap();
    // The limit applies only to the child.
    fork(|| {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(0), ..limit }).unwrap();
        let exhausted = listener.accept();
        assert!(matches!(exhausted, Err(AcceptError::Exhausted(_))), "{exhausted:?}");
        let is_free = budget.connections_open() == 0;
        setrlimit(Resource::Nofile, limit).unwrap();
        is_free && listener.accept().is_ok()
    })
    .check();
    drop(client);
}

#[test]
fn h43_a_forked_copy_has_a_budget_of_its_own() {
    let _alone = alone();
    let budget = Budget::new().frame_bytes(4_000_000);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
                let mut ours = Ours::adopt_with(ours, &options().budget(&budget)).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    raw::send(&theirs, &piece(1, 1000, &[1; 10])).unwrap();
                    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
                    raw::send(&theirs, &piece(2, 10, &[1; 990])).unwrap();
                    assert!(ours.try_recv().unwrap().is_some());
                }
            });
        }
        let child = || {
            let before = budget.bytes_held();
            let options = options().budget(&budget);
            let (mut theirs, mut ours) = Ours::pair_with(&options).unwrap();
            numbered(7, 1_000_000, |frame| theirs.try_send(frame)).unwrap();
            assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
            assert!(budget.bytes_held() > before + 1_000_000);
            while theirs.tx.pending() > 0 {
                _ = theirs.tx.flush(Wait::Try);
                _ = ours.try_recv();
            }
            budget.bytes_held() == before
        };
        let ends: Vec<_> =
            (0..20).map(|_| fork(child).ends_within(Duration::from_secs(60))).collect();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(ends, [Some(true); 20]);
    });
    assert_eq!(budget.bytes_held(), 0);
}
