//! The bound on calls also holds for handlers whose calls need no answer, or no longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use datagrammar::calls::Call;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, Server, Service};
use tokio::time::{sleep, timeout};

use super::{Ours, Protocol, STALL, until};
use crate::protocol::{Sum, Sums};

const CALLS: usize = 100;
const BOUND: usize = 3;

/// Answers at once, if there is a caller that waits. Works until it is `free`, and a moment longer.
#[derive(Default)]
struct Lingering {
    running: AtomicUsize,
    most: AtomicUsize,
    ended: AtomicUsize,
    free: AtomicBool,
}

impl Service for Lingering {
    type Protocol = Protocol;

    async fn handle(self: Arc<Self>, mut call: Call<Protocol>) {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        match call.open() {
            Some((_, Sums::Add { left, right }, answer)) => {
                answer.reply::<Sum>(Ok(left + right));
            }
            Some((_, _, answer)) => answer.nothing(),
            None => {}
        }
        loop {
            let is_free = self.free.load(Ordering::SeqCst);
            sleep(Duration::from_millis(1)).await;
            if is_free {
                break;
            }
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.ended.fetch_add(1, Ordering::SeqCst);
    }
}

/// Checks that all handlers run, and that as many run at once as may.
async fn check(make: impl AsyncFnOnce(&Ours)) {
    let (client, connection) = Connection::pair().unwrap();
    let lingering = Arc::new(Lingering::default());
    let server = Server::new(Arc::clone(&lingering)).calls(BOUND);
    tokio::spawn(async move { server.serve(connection).await.unwrap() });
    let client = Client::new(client);
    let free = async {
        until(|| lingering.running.load(Ordering::SeqCst) >= BOUND).await;
        lingering.free.store(true, Ordering::SeqCst);
    };
    let both = async { tokio::join!(make(&client), free) };
    timeout(STALL, both).await.expect("all calls are sent, and answered");
    until(|| lingering.ended.load(Ordering::SeqCst) == CALLS).await;
    assert_eq!(lingering.most.load(Ordering::SeqCst), BOUND);
}

#[tokio::test]
async fn no_more_calls_without_an_answer_run_than_may() {
    check(async |client| {
        for number in 0..CALLS as u64 {
            client.notify(&Sums::Note(number)).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn no_more_handlers_that_have_answered_run_than_may() {
    check(async |client| {
        let add = |left| client.call::<Sum>(&Sums::Add { left, right: 1 });
        let calls: Vec<_> = (0..CALLS as u64).map(add).collect();
        for (left, call) in (0..).zip(calls) {
            assert_eq!(call.await.unwrap().decode().unwrap(), left + 1);
        }
    })
    .await;
}
