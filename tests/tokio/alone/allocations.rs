//! Sending and receiving allocate nothing in steady state, even when they wait.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use datagrammar_tests::{Numbered, body};

use super::{Frozen, alone};

type Ours = datagrammar::tokio::Connection<Numbered<'static>, Numbered<'static>>;

/// Runs `turn` with two ends on a runtime of this thread. Returns how often it allocates after a warm-up.
fn allocations(mut turn: impl AsyncFnMut(&mut Ours, &mut Ours)) -> u64 {
    let runtime = Frozen::new();
    let (mut left, mut right) = runtime.block_on(async { Ours::pair().unwrap() });
    let mut turns = |count| {
        runtime.block_on(async {
            for _ in 0..count {
                turn(&mut left, &mut right).await;
            }
        });
    };
    turns(10);
    // tokio may allocate a list of the tasks that have used up their budget, once for each `block_on`.
    measure(|| turns(100)).count_total.saturating_sub(1)
}

/// Awaits both futures without allocating.
async fn both(left: impl Future<Output = ()>, right: impl Future<Output = ()>) {
    let (mut left, mut right) = (pin!(left), pin!(right));
    let (mut left_done, mut right_done) = (false, false);
    std::future::poll_fn(|cx: &mut Context<'_>| {
        left_done = left_done || left.as_mut().poll(cx).is_ready();
        right_done = right_done || right.as_mut().poll(cx).is_ready();
        if left_done && right_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn receive(connection: &mut Ours) -> u64 {
    connection.recv().await.unwrap().expect("a frame").decode().unwrap().check()
}

#[test]
fn round_trips_allocate_nothing() {
    let _alone = alone();
    for len in [0, 16, 1024, 100_000] {
        let body = body(7, len);
        let frame = Numbered::Numbered { number: 7, len: len as u64, body: &body };
        let count = allocations(async |left, right| {
            let asking = async {
                left.send(&frame).await.unwrap();
                assert_eq!(receive(left).await, 7);
            };
            let answering = async {
                assert_eq!(receive(right).await, 7);
                right.send(&frame).await.unwrap();
            };
            // The answering side waits first, then the other.
            both(answering, asking).await;
        });
        assert_eq!(count, 0, "{len}");
    }
}

#[test]
fn streams_that_fill_the_socket_allocate_nothing() {
    let _alone = alone();
    // More than fit in the socket.
    for (len, burst) in [(0, 400), (16, 400), (1024, 400), (100_000, 4)] {
        let body = body(7, len);
        let frame = Numbered::Numbered { number: 7, len: len as u64, body: &body };
        let mut has_waited = false;
        let count = allocations(async |left, right| {
            let sending = async {
                for _ in 0..burst {
                    let mut send = pin!(left.send(&frame));
                    let cx = &mut Context::from_waker(Waker::noop());
                    if send.as_mut().poll(cx).is_pending() {
                        has_waited = true;
                        send.await.unwrap();
                    }
                }
            };
            let receiving = async {
                for _ in 0..burst {
                    assert_eq!(receive(right).await, 7);
                }
            };
            both(sending, receiving).await;
        });
        assert!(has_waited);
        assert_eq!(count, 0, "{len}");
    }
}
