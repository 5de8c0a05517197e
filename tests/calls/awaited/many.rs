//! Many calls in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datagrammar::calls::CallError;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, Server};
use datagrammar::{Limits, Options};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout;

use super::{Handler, Ours, STALL, add, pair_with, spawn, until};
use crate::protocol::{Counted, Echoed, Sum, Sums};

#[tokio::test]
async fn ten_thousand_calls_in_flight_in_any_order() {
    let (client, seen) = pair_with(|server| server.calls(20_000));
    let mut calls = FuturesUnordered::new();
    for number in 0..10_000_u64 {
        let client = client.clone();
        // A linear congruential sequence visits each pause once.
        let millis = (number * 7919) % 100;
        let call = client.call::<Sum>(&Sums::Slow { millis });
        let sum = client.call::<Sum>(&Sums::Add { left: number, right: millis });
        calls.push(async move {
            let slow = call.await.unwrap().decode().unwrap();
            (number + millis, slow, sum.await.unwrap().decode().unwrap())
        });
    }
    assert_eq!(client.in_flight(), 20_000);
    let mut count = 0;
    while let Some((expected, slow, sum)) = calls.next().await {
        assert_eq!((slow, sum), (0, expected));
        count += 1;
    }
    assert_eq!(count, 10_000);
    assert_eq!((client.in_flight(), client.dropped()), (0, 0));
    assert_eq!(seen.begun.load(Ordering::SeqCst), 20_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_share_a_client() {
    let (client, seen) = pair_with(|server| server);
    let done = Arc::new(AtomicU64::new(0));
    for task in 0..64_u64 {
        let (client, done) = (client.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            for number in 0..500 {
                assert_eq!(add(&client, task, number).await.unwrap(), task + number);
                if number % 100 == 0 {
                    client.notify(&Sums::Note(1)).await.unwrap();
                }
            }
            done.fetch_add(1, Ordering::SeqCst);
        });
    }
    until(|| done.load(Ordering::SeqCst) == 64).await;
    until(|| seen.noted.load(Ordering::SeqCst) == 64 * 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn streams_of_items_at_the_same_time() {
    let (client, _) = pair_with(|server| server);
    let streams = (0..32).map(|_| {
        let items = client.items::<Counted>(&Sums::Count { to: 1000 }).unwrap();
        tokio::spawn(async move {
            let numbers = items.map(|item| item.unwrap().decode().unwrap().0);
            numbers.collect::<Vec<_>>().await
        })
    });
    for stream in streams.collect::<Vec<_>>() {
        assert!(stream.await.unwrap().into_iter().eq(0..1000));
    }
    assert_eq!(client.in_flight(), 0);
}

/// Calls and answers that are made together share bundles. Those travel in pieces if a send buffer is small, and may be
/// longer than the longest frame.
#[tokio::test]
async fn limits_apply_to_each_call_of_a_bundle_in_pieces() {
    let options = Options::new().send_buffer(0).limits(Limits::new().frame_len(100));
    let (client, server) = datagrammar::Connection::pair_with(&options).unwrap();
    let client: Ours = Client::new(Connection::from_blocking(client).map_err(|(_, e)| e).unwrap());
    let server = Connection::from_blocking(server).map_err(|(_, error)| error).unwrap();
    spawn(Server::new(Handler::default()), server);
    let text = |number| vec![number as u8; if number % 10 == 9 { 100 } else { 50 }];
    let calls: Vec<_> = (0..1000)
        .map(|number| client.call::<Echoed<'static>>(&Sums::Echo { text: &text(number) }))
        .collect();
    for (number, call) in calls.into_iter().enumerate() {
        let answer = timeout(STALL, call).await.expect("an answer");
        match number % 10 {
            9 => assert!(matches!(answer, Err(CallError::TooLarge)), "{answer:?}"),
            _ => assert_eq!(answer.unwrap().decode().unwrap(), text(number)),
        }
    }
    assert_eq!((client.in_flight(), client.dropped()), (0, 0));
}
