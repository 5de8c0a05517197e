//! A stream of messages of all kinds, while both sides drop futures.

use std::env;
use std::sync::atomic::AtomicU64;

use datagrammar::tokio::Connection;
use datagrammar_tests::seed;
use tokio::runtime::Builder;

use super::driver::Driver;
use super::model::{Model, Note};
use super::receiving::Receiving;
use super::sending::Sending;

/// How many futures to drop: `DATAGRAMMAR_DROPS`, or 2,000.
pub(super) fn drops() -> u64 {
    let drops = env::var("DATAGRAMMAR_DROPS");
    drops.map_or(2_000, |drops| drops.parse().expect("a number of drops"))
}

/// Sends and receives until `drops` futures were dropped.
async fn exchange(drops: u64, seed: u64, crosses: bool, is_apart: bool) {
    let (left, right) = Connection::<Note<'static>, Note<'static>>::pair().unwrap();
    // The counter belongs to the process, because the sides are tasks.
    let dropped: &'static AtomicU64 = Box::leak(Box::default());
    let model = Model::default();
    let sending = Sending { driver: Driver::new(seed, dropped), model: model.clone(), crosses };
    let driver = Driver::new(seed.wrapping_add(1), dropped);
    let receiving = Receiving { driver, model, crosses, peeked: None };
    match is_apart {
        true => {
            let sending = tokio::spawn(sending.run(left, drops));
            let receiving = tokio::spawn(receiving.run(right));
            // A side that panics ends the connection, so that the other one ends too.
            receiving.await.unwrap();
            sending.await.unwrap();
        }
        false => _ = tokio::join!(sending.run(left, drops), receiving.run(right)),
    }
}

#[test]
fn h40_dropped_futures_lose_double_and_cut_nothing() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(exchange(drops(), seed(), false, false));
}

#[test]
fn h40_dropped_futures_of_tasks_on_two_threads_lose_double_and_cut_nothing() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(exchange(drops() / 2, seed(), false, true));
}

#[test]
fn a_connection_that_becomes_blocking_and_awaited_again_in_mid_stream_loses_nothing() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(exchange(drops() / 2, seed(), true, false));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(exchange(drops() / 2, seed(), true, true));
}
