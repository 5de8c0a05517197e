//! Many calls in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::{add, pair_with, until};
use crate::protocol::{Counted, Sum, Sums};

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
