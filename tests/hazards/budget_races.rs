//! Budgets: threads, and other holders of a socket.

use std::hint;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Budget, RecvError};
use datagrammar_tests::datagrams::piece;
use datagrammar_tests::{Random, raw, scaled, seed};
use rustix::net::RecvFlags;

use super::budget::{begin, pair};

#[test]
fn h51_threads_together_never_hold_more_than_the_budget() {
    const MAX: usize = 1_000_000;
    let budget = Budget::new().frame_bytes(MAX);
    // So many frames that those of one thread alone could fill the budget.
    const PAIRS: u64 = 40;
    let (most, seed) = (AtomicUsize::new(0), seed());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let (budget, most) = (&budget, &most);
                scope.spawn(move || {
                    let mut random = Random(seed + thread);
                    let mut pairs: Vec<_> = (0..PAIRS).map(|_| (pair(budget), 0)).collect();
                    let (mut admitted, mut refused) = (0, 0);
                    for _ in 0..scaled(40_000) {
                        let ((theirs, ours), left) = &mut pairs[random.below(PAIRS) as usize];
                        if *left > 0 {
                            raw::send(&*theirs, &piece(2, 1, &vec![1; *left])).unwrap();
                            assert!(ours.try_recv().unwrap().is_some());
                            *left = 0;
                            continue;
                        }
                        let total = 2 + random.below(120_000);
                        match begin(theirs, ours, total, 1) {
                            Ok(()) => {
                                (*left, admitted) = (total as usize - 1, admitted + 1);
                                most.fetch_max(budget.bytes_held(), Ordering::Relaxed);
                            }
                            Err(RecvError::OverBudget { held, .. }) => {
                                assert!(held <= MAX && total as usize > (MAX - held) / 2);
                                refused += 1;
                            }
                            Err(other) => panic!("{other:?}"),
                        }
                        if random.below(100) == 0 {
                            pairs[random.below(PAIRS) as usize] = (pair(budget), 0);
                        }
                    }
                    (admitted, refused)
                })
            })
            .collect();
        let counts = threads.into_iter().map(|thread| thread.join());
        let counts: Vec<_> = counts.collect::<Vec<_>>().into_iter().map(Result::unwrap).collect();
        let most = most.load(Ordering::Relaxed);
        assert!(most <= MAX, "{most} bytes");
        assert!(most > MAX / 2, "{most} bytes: the budget was not tried");
        assert!(counts.iter().all(|(admitted, refused)| admitted * refused > 0), "{counts:?}");
    });
    assert_eq!(budget.bytes_held(), 0);
}

#[test]
fn h51_a_first_piece_that_another_process_takes_leaves_nothing_behind() {
    // Only a waiting receive peeks at the first piece before it is read.
    let budget = Budget::new();
    let (theirs, mut ours) = pair(&budget);
    let thief = ours.as_fd().try_clone_to_owned().unwrap();
    let frames = AtomicU64::new(0);
    let wait_until = |done: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{} are held", budget.bytes_held());
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        let receiver = scope.spawn(|| {
            loop {
                match ours.recv() {
                    Ok(Some(_)) => _ = frames.fetch_add(1, Ordering::Relaxed),
                    Ok(None) => break,
                    Err(RecvError::Incomplete { received: 10, total: 1000 }) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        });
        let (mut ended, first) = (0, piece(1, 1000, &[1; 10]));
        let mut random = Random(seed());
        for _ in 0..scaled(20_000) {
            raw::send(&theirs, &first).unwrap();
            // Sometimes this is as long as the receiver takes to wake up and peek.
            for _ in 0..random.below(4000) {
                hint::spin_loop();
            }
            let mut buffer = [0; 100];
            if rustix::net::recv(&thief, &mut buffer, RecvFlags::DONTWAIT).is_err() {
                // The receiver has the piece: another frame ends it.
                raw::send(&theirs, &[1, 0, 0]).unwrap();
                ended += 1;
                wait_until(&|| frames.load(Ordering::Relaxed) == ended);
            }
            wait_until(&|| budget.bytes_held() == 0);
        }
        drop(theirs);
        receiver.join().unwrap();
    });
}
