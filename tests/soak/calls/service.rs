//! The protocol and its handlers.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use datagrammar::calls::{Context, ItemSender};
use datagrammar::tokio::calls as awaited;
use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
pub(crate) enum Work<'a> {
    #[message(tag = 1, reply = u64)]
    Add { left: u64, right: u64 },
    #[message(tag = 2, reply = Vec<u8>)]
    Echo {
        #[message(rest)]
        bytes: &'a [u8],
    },
    #[message(tag = 3, items = Number)]
    Count { to: u64 },
    #[message(tag = 4)]
    Note { number: u64 },
    #[message(tag = 5, reply = u64)]
    Panic,
    #[message(tag = 6, reply = u64)]
    Slow { turns: u64 },
    #[message(tag = 7, reply = u64)]
    Measure {
        #[message(fd)]
        file: File,
    },
    #[message(tag = 8, reply = u64)]
    Endless,
    /// Waits until this many calls run at the same time.
    #[message(tag = 9, reply = u64)]
    Meet { all: u64 },
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
pub(crate) struct Number(pub(crate) u64);

/// What the handlers note.
#[derive(Debug, Default)]
pub(crate) struct Works {
    pub(crate) noted: AtomicU64,
    /// The number of running handlers.
    pub(crate) running: AtomicU64,
    met: AtomicU64,
}

/// A running handler, counted until this is dropped.
struct Running<'w>(&'w Works);

impl Works {
    fn run(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::SeqCst);
        Running(self)
    }

    fn meet(&self) -> &AtomicU64 {
        &self.met
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Handler(pub(crate) Arc<Works>);

const PAUSE: Duration = Duration::from_millis(1);

impl WorkHandler for Handler {
    fn add(&self, _: &Context, left: u64, right: u64) -> u64 {
        let _running = self.0.run();
        left + right
    }

    fn echo(&self, _: &Context, bytes: &[u8]) -> Vec<u8> {
        let _running = self.0.run();
        bytes.to_vec()
    }

    fn count(&self, _: &Context, to: u64, mut numbers: ItemSender<Number>) {
        let _running = self.0.run();
        for number in 0..to {
            if numbers.send(&Number(number)).is_err() {
                break;
            }
        }
    }

    fn note(&self, _: &Context, number: u64) {
        self.0.noted.fetch_add(number, Ordering::SeqCst);
    }

    fn panic(&self, _: &Context) -> u64 {
        let _running = self.0.run();
        panic!("as the test asks")
    }

    fn slow(&self, _: &Context, turns: u64) -> u64 {
        let _running = self.0.run();
        (0..turns).for_each(|_| thread::sleep(PAUSE / 4));
        turns
    }

    fn measure(&self, _: &Context, file: File) -> u64 {
        let _running = self.0.run();
        file.metadata().unwrap().len()
    }

    fn endless(&self, cx: &Context) -> u64 {
        let _running = self.0.run();
        while !cx.is_cancelled() {
            thread::sleep(PAUSE);
        }
        0
    }

    fn meet(&self, cx: &Context, all: u64) -> u64 {
        let _running = self.0.run();
        self.0.meet().fetch_add(1, Ordering::SeqCst);
        while self.0.meet().load(Ordering::SeqCst) < all && !cx.is_cancelled() {
            thread::sleep(PAUSE);
        }
        all
    }
}

impl WorkTokioHandler for Handler {
    async fn add(&self, _: &Context, left: u64, right: u64) -> u64 {
        let _running = self.0.run();
        if left.is_multiple_of(2) {
            tokio::task::yield_now().await;
        }
        left + right
    }

    async fn echo(&self, _: &Context, bytes: &[u8]) -> Vec<u8> {
        let _running = self.0.run();
        bytes.to_vec()
    }

    async fn count(&self, _: &Context, to: u64, mut numbers: awaited::ItemSender<Number>) {
        let _running = self.0.run();
        for number in 0..to {
            if numbers.send(&Number(number)).await.is_err() {
                break;
            }
        }
    }

    async fn note(&self, _: &Context, number: u64) {
        self.0.noted.fetch_add(number, Ordering::SeqCst);
    }

    async fn panic(&self, _: &Context) -> u64 {
        let _running = self.0.run();
        tokio::task::yield_now().await;
        panic!("as the test asks")
    }

    async fn slow(&self, _: &Context, turns: u64) -> u64 {
        let _running = self.0.run();
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        turns
    }

    async fn measure(&self, _: &Context, file: File) -> u64 {
        let _running = self.0.run();
        file.metadata().unwrap().len()
    }

    async fn endless(&self, cx: &Context) -> u64 {
        let _running = self.0.run();
        cx.cancelled().await;
        0
    }

    async fn meet(&self, cx: &Context, all: u64) -> u64 {
        let _running = self.0.run();
        self.0.meet().fetch_add(1, Ordering::SeqCst);
        while self.0.meet().load(Ordering::SeqCst) < all && !cx.is_cancelled() {
            tokio::time::sleep(PAUSE).await;
        }
        all
    }
}
