//! Futures that connect and accept, dropped at every poll: a connected client is served.

use std::sync::atomic::{AtomicU64, Ordering};

use datagrammar::tokio::{Connection, Listener};
use datagrammar::{Address, Options};
use datagrammar_tests::{Directory, Numbered, numbered, seed};
use futures_util::StreamExt as _;
use tokio::runtime::Builder;

use super::driver::Driver;
use super::stream::drops;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;

/// Connects again and again, and lets each connection be answered.
async fn connect(address: &Address, mut driver: Driver, enough: u64, connected: &AtomicU64) {
    while driver.dropped() < enough {
        let Some(ours) = driver.drive(Ours::connect(address)).await else { continue };
        let mut ours = ours.unwrap();
        let number = connected.fetch_add(1, Ordering::Relaxed);
        numbered(number, 10, |question| ours.try_send(question)).unwrap();
        // Finally, it is accepted.
        let answer = tokio::time::timeout(Driver::PATIENCE, ours.recv()).await;
        let answer = answer.expect("to be served").unwrap().expect("an answer");
        assert_eq!(answer.decode().unwrap().check(), number);
    }
}

async fn serve(mut ours: Ours) {
    // If connecting was given up, the end comes first.
    while let Some(question) = ours.rx.recv().await.unwrap() {
        let Numbered::Numbered { number, len, body } = question.decode().unwrap();
        ours.tx.send(&Numbered::Numbered { number, len, body }).await.unwrap();
    }
}

#[test]
fn h40_dropped_futures_that_connect_and_accept_lose_no_client() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let directory = Directory::new();
    let address = directory.address("socket");
    runtime.block_on(async {
        // So few places that clients wait for room.
        let listener = OurListener::bind_with(&address, &Options::new().backlog(1)).unwrap();
        let dropped: &'static AtomicU64 = Box::leak(Box::default());
        let (connected, accepted) = (AtomicU64::new(0), AtomicU64::new(0));
        let seed = seed();
        let driver = |number| Driver::new(seed.wrapping_add(number), dropped);
        let enough = drops() / 4;
        let client = |number| connect(&address, driver(number), enough, &connected);
        let clients = async { tokio::join!(client(0), client(1), client(2), client(3), client(4)) };
        let mut driver = driver(5);
        let accepting = async {
            let mut incoming = listener.incoming();
            loop {
                let next = match driver.random.below(4) {
                    0 => driver.drive(incoming.next()).await.flatten(),
                    _ => driver.drive(listener.accept()).await,
                };
                if let Some(ours) = next {
                    accepted.fetch_add(1, Ordering::Relaxed);
                    tokio::spawn(serve(ours.unwrap()));
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = accepting => {}
            _ = clients => {}
        }
        let (connected, accepted) = (connected.into_inner(), accepted.into_inner());
        assert!(0 < connected && connected <= accepted, "{connected}, {accepted}");
    });
}
