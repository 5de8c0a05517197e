//! Polls futures a few times, and drops them.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use datagrammar_tests::Random;

/// Polls futures, and counts the dropped ones.
pub(super) struct Driver {
    pub(super) random: Random,
    dropped: &'static AtomicU64,
}

impl Driver {
    /// How long to wait for an expected result. A lost wake-up shows here.
    pub(super) const PATIENCE: Duration = Duration::from_secs(60);

    pub(super) fn new(random: u64, dropped: &'static AtomicU64) -> Self {
        Self { random: Random(random), dropped }
    }

    /// Polls `future` a few times, or not at all, and drops it. Sometimes waits for it instead, so that both sides make
    /// progress, and so that it must be woken.
    pub(super) async fn drive<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let polls = match self.random.below(8) {
            0 => 0,
            1..=3 => 1,
            4 => 2,
            5 => 3,
            6 => 2 + self.random.below(20),
            _ => {
                return Some(
                    tokio::time::timeout(Self::PATIENCE, future).await.expect("a wake-up"),
                );
            }
        };
        let mut future = pin!(future);
        for _ in 0..polls {
            let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            if let Poll::Ready(output) = polled {
                return Some(output);
            }
            tokio::task::yield_now().await;
        }
        self.dropped.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// How many futures were dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
