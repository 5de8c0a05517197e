//! How often calls allocate.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[allow(dead_code, reason = "most of it is for the other tests")]
#[path = "both/protocol.rs"]
mod protocol;

use std::sync::Arc;
use std::thread;

use datagrammar::calls::{self, Call};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, Server, Service};
use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};

use crate::protocol::{Sum, Sums};

struct Handler {
    yields: bool,
}

impl Service for Handler {
    type Protocol = Sums<'static>;

    async fn handle(self: Arc<Self>, mut call: Call<Sums<'static>>) {
        if self.yields {
            tokio::task::yield_now().await;
        }
        if let Some((_, Sums::Add { left, right }, answer)) = call.open() {
            answer.reply::<Sum>(Ok(left + right));
        }
    }
}

impl calls::Service for Handler {
    type Protocol = Sums<'static>;

    fn handle(&self, mut call: Call<Sums<'static>>) {
        if let Some((_, Sums::Add { left, right }, answer)) = call.open() {
            answer.reply::<Sum>(Ok(left + right));
        }
    }
}

fn setup(yields: bool) -> (Runtime, Client<Sums<'static>>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(async {
        let (client, server) = Connection::pair().unwrap();
        tokio::spawn(async move { Server::new(Handler { yields }).serve(server).await });
        Client::new(client)
    });
    (runtime, client)
}

async fn call(client: &Client<Sums<'static>>, number: u64) {
    let answer = client.call::<Sum>(&Sums::Add { left: number, right: 1 });
    assert_eq!(answer.await.unwrap().decode().unwrap(), number + 1);
}

/// Returns the allocations per call of both sides, with this many calls in flight.
fn measure(yields: bool, in_flight: u64) -> f64 {
    const CALLS: u64 = 10_000;
    let (runtime, client) = setup(yields);
    let rounds = CALLS / in_flight;
    let run = |rounds: u64| {
        runtime.block_on(async {
            let loops = (0..in_flight).map(|_| async {
                for number in 0..rounds {
                    call(&client, number).await;
                }
            });
            join_all(loops).await;
        });
    };
    run(rounds);
    let info = allocation_counter::measure(|| run(rounds));
    info.count_total as f64 / (rounds * in_flight) as f64
}

#[test]
fn a_call_allocates_only_for_the_task_of_a_handler_that_waits() {
    for yields in [false, true] {
        for in_flight in [1, 16, 256] {
            let count = measure(yields, in_flight);
            println!("yields: {yields}, in flight: {in_flight}: {count:.2} allocations a call");
            // join_all allocates for its own futures.
            let most = if yields { 1.1 } else { 0.1 };
            assert!(
                count <= most,
                "{count} allocations with {in_flight} in flight, yields: {yields}"
            );
        }
    }
}

#[test]
fn a_blocking_call_allocates_nothing() {
    const CALLS: u64 = 10_000;
    let (client, server) = datagrammar::Connection::pair().unwrap();
    let server = thread::spawn(move || {
        let server = || calls::Server::new(Handler { yields: false }).threads(1).serve(server);
        allocation_counter::measure(|| server().unwrap())
    });
    let client = calls::Client::<Sums<'static>>::new(client);
    let call = |number| {
        let mut answer =
            client.call::<Sum>(&Sums::Add { left: number, right: 1 }).expect("an answer");
        assert_eq!(answer.decode().unwrap(), number + 1);
    };
    call(0);
    let ours = allocation_counter::measure(|| (1..CALLS).for_each(call)).count_total;
    drop(client);
    let theirs = server.join().unwrap().count_total;
    println!("{ours} allocations of the client, {theirs} of the server");
    assert!(ours < 100 && theirs < 100, "{ours} of the client, {theirs} of the server");
}

#[test]
fn memory_returns_after_a_flood_of_calls() {
    let (runtime, client) = setup(false);
    let flood = |calls| {
        let all = || join_all((0..calls).map(|number| call(&client, number)));
        runtime.block_on(async { all().await });
    };
    flood(100);
    let info = allocation_counter::measure(|| flood(20_000));
    println!("{} bytes at most, {} afterwards", info.bytes_max, info.bytes_current);
    assert!(info.bytes_max > 4_000_000);
    assert!(info.bytes_current < 1_000_000, "{info:?}");
}
