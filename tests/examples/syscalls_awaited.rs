//! The number of system calls for an async call, if both sides are on one thread.

use datagrammar::calls::Context;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::Server;
use datagrammar::{Message, Protocol};
use tokio::runtime::Builder;

use crate::is_installed;
use crate::strace::{Call, Marks, count, phases};

#[derive(Message, Protocol)]
enum Sums {
    #[message(tag = 1, reply = u64)]
    Add { left: u64, right: u64 },
}

struct Adder;

impl SumsTokioHandler for Adder {
    async fn add(&self, _: &Context, left: u64, right: u64) -> u64 {
        left + right
    }
}

const CALLS: usize = 640;
const AT_A_TIME: usize = 16;

/// The traced program.
#[test]
#[ignore = "runs under strace, in the test below"]
fn program() {
    let marks = Marks::new();
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let (client, server) = Connection::pair().unwrap();
        tokio::spawn(async move { Server::new(SumsTokioService(Adder)).serve(server).await });
        let client = SumsTokioClient::new(client);
        let one_by_one = |calls: usize| {
            let client = client.clone();
            tokio::spawn(async move {
                for left in 0..calls as u64 {
                    assert_eq!(client.add(left, 1).await.unwrap(), left + 1);
                }
            })
        };
        // Until the server has learned that requests come alone.
        one_by_one(100).await.unwrap();
        marks.set("one at a time");
        one_by_one(CALLS).await.unwrap();
        marks.set("many at a time");
        let calls = (0..AT_A_TIME).map(|_| one_by_one(CALLS / AT_A_TIME));
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
        marks.set("the end");
    });
}

#[test]
fn calls_cost_two_sends_and_two_reads_and_share_them() {
    if !is_installed("strace") {
        return;
    }
    let phases = phases("syscalls_awaited::program");
    let counts = |phase: &str| {
        let kinds: [fn(&Call) -> bool; 3] =
            [Call::is_send, Call::is_read, |call| call.name.starts_with("epoll")];
        kinds.map(|is_kind| count(&phases[phase], is_kind))
    };
    let [sends, (reads, read), (waits, _)] = counts("one at a time");
    assert_eq!((sends, read), ((2 * CALLS, 2 * CALLS), 2 * CALLS));
    // Without waiting for other tasks, the server reads in vain after each request.
    assert!(reads - read <= CALLS / 8, "{reads} reads for {CALLS} calls");
    // One turn of the reactor reports the answer and, without an event, the next request.
    assert!(waits <= CALLS + CALLS / 8, "{waits} turns of the reactor for {CALLS} calls");

    let datagrams = 2 * CALLS / AT_A_TIME;
    let [(sends, _), (reads, read), (waits, _)] = counts("many at a time");
    let few = datagrams / 8;
    assert!(sends <= datagrams + few && read <= datagrams + few, "{sends} sends, {read} read");
    // The server looks for more requests once, and 16 times after the many that came one at a time. The client knows that
    // there are none.
    assert!(reads - read <= datagrams / 2 + few + 16, "{reads} reads of {read} datagrams");
    assert!(waits <= datagrams + few, "{waits} turns of the reactor for {datagrams} datagrams");
}
