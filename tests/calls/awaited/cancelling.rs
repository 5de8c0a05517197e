//! Calls that end early.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use datagrammar::calls::CallError;
use datagrammar::tokio::calls::Client;
use tokio::time::{sleep, timeout};

use super::{Protocol, STALL, add, pair_with, poll_once, until};
use crate::protocol::{Counted, Sum, Sums};

#[tokio::test]
async fn dropping_a_call_cancels_its_handler() {
    let (client, seen) = pair_with(|server| server);
    let slow = client.call::<Sum>(&Sums::Slow { millis: u64::MAX });
    until(|| seen.begun.load(Ordering::SeqCst) == 1).await;
    assert_eq!((seen.cancelled(), client.in_flight()), (0, 1));
    drop(slow);
    assert_eq!(client.in_flight(), 0);
    until(|| seen.cancelled() == 1).await;
    assert_eq!(add(&client, 1, 2).await.unwrap(), 3);
    assert_eq!(client.dropped(), 0);
}

#[tokio::test]
async fn a_deadline_cancels_the_handler_too() {
    let (client, seen) = pair_with(|server| server);
    let begun = || seen.begun.load(Ordering::SeqCst);
    let mut patience = Duration::from_millis(50);
    // A call whose deadline passes before it is read does not begin.
    while begun() == 0 {
        let began = Instant::now();
        let hasty = client.deadline(began + patience);
        let result = hasty.call::<Sum>(&Sums::Slow { millis: u64::MAX }).await;
        assert!(began.elapsed() >= patience - Duration::from_millis(1));
        assert!(matches!(result, Err(CallError::TimedOut) | Ok(_)));
        patience *= 2;
    }
    until(|| seen.cancelled() == begun()).await;
}

#[tokio::test]
async fn items_wait_for_their_reader_and_dropping_them_cancels() {
    let (client, seen) = pair_with(|server| server);
    let sent = || seen.sent.load(Ordering::SeqCst);
    let mut items = client.items::<Counted>(&Sums::Count { to: 1000 }).unwrap();
    assert_eq!(items.recv().await.unwrap().unwrap().0, 0);
    sleep(Duration::from_millis(50)).await;
    assert!(sent() <= 16, "{}", sent());
    drop(items);
    until(|| seen.cancelled() == 1).await;
    assert_eq!(add(&client, 1, 1).await.unwrap(), 2);
    assert_eq!(client.in_flight(), 0);
}

/// Polls each call a number of times, and then drops it.
#[tokio::test]
async fn dropping_futures_at_any_poll_loses_and_repeats_nothing() {
    let (client, seen) = pair_with(|server| server);
    let mut answered = 0;
    for round in 0..2000_u64 {
        let mut polls = round % 5;
        {
            let mut call = pin!(client.call::<Sum>(&Sums::Add { left: round, right: 0 }));
            let mut cx = Context::from_waker(Waker::noop());
            while polls > 0 {
                if let Poll::Ready(answer) = call.as_mut().poll(&mut cx) {
                    assert_eq!(answer.unwrap().decode().unwrap(), round);
                    answered += 1;
                    break;
                }
                tokio::task::yield_now().await;
                polls -= 1;
            }
        }
        if round % 7 == 0 {
            assert_eq!(add(&client, round, 1).await.unwrap(), round + 1);
        }
    }
    assert!(answered > 0);
    assert_eq!(client.in_flight(), 0);
    let notes = 2000_u64.div_ceil(7);
    until(|| seen.begun.load(Ordering::SeqCst) == 2000 + notes).await;
    let (client, seen) = pair_with(|server| server);
    let mut items = client.items::<Counted>(&Sums::Count { to: 2000 }).unwrap();
    let mut expected = 0;
    while expected < 2000 {
        if let Some(item) = poll_once(items.recv()).await {
            assert_eq!(item.unwrap().unwrap().0, expected);
            expected += 1;
        }
        tokio::task::yield_now().await;
    }
    assert!(items.recv().await.unwrap().is_none());
    assert_eq!(seen.sent.load(Ordering::SeqCst), 2000);
}

#[tokio::test]
async fn a_peer_that_goes_fails_all_calls() {
    let (client, server) = datagrammar::tokio::Connection::pair().unwrap();
    let client = Client::<Protocol>::new(client);
    let failed = Arc::new(AtomicU64::new(0));
    for _ in 0..1000 {
        let (client, failed) = (client.clone(), Arc::clone(&failed));
        tokio::spawn(async move {
            let result = add(&client, 1, 1).await;
            assert!(is_gone(&result), "{result:?}");
            failed.fetch_add(1, Ordering::SeqCst);
        });
    }
    let mut items = client.items::<Counted>(&Sums::Count { to: 5 }).unwrap();
    until(|| client.in_flight() == 1001).await;
    drop(server);
    let ended = timeout(STALL, items.recv()).await.expect("the items end");
    assert!(matches!(ended, Err(CallError::Disconnected(None))));
    until(|| failed.load(Ordering::SeqCst) == 1000).await;
    assert!(is_gone(&add(&client, 1, 1).await));
    assert!(is_gone(&client.notify(&Sums::Note(1)).await));
}

/// Whether the peer was gone before the answer came, or before the request was sent.
fn is_gone<T, E>(result: &Result<T, CallError<E>>) -> bool {
    matches!(result, Err(CallError::Disconnected(None) | CallError::NotSent(_)))
}

#[test]
fn a_runtime_that_shuts_down_fails_all_calls() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let (client, server) = first.block_on(async {
        let (client, server) = datagrammar::tokio::Connection::pair().unwrap();
        (Client::<Protocol>::new(client), server)
    });
    let call = client.call::<Sum>(&Sums::Add { left: 1, right: 1 });
    drop(first);
    let result = runtime().block_on(async { timeout(STALL, call).await.unwrap() });
    assert!(matches!(result, Err(CallError::Disconnected(None))));
    drop(server);
}

#[tokio::test]
async fn dropping_the_last_handle_sends_what_is_queued_and_ends_the_connection() {
    let (client, mut server) =
        datagrammar::tokio::Connection::<Protocol, datagrammar::calls::Answers<Protocol>>::pair()
            .unwrap();
    let client = Client::new(client);
    for _ in 0..1000 {
        _ = client.notify(&Sums::Echo { text: &[1; 1000] });
    }
    drop(client);
    let mut count = 0;
    while server.recv().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 1000);
}
