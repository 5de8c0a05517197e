//! Both sides send without a pause, and peers that die.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datagrammar::calls::CallError;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::Client;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{Protocol, STALL, add, pair_with, until};
use crate::protocol::{Echoed, Sum, Sums};

/// Hazard 21: both sides send more than the sockets hold, and read only when they can.
#[tokio::test]
async fn h21_a_flood_of_large_requests_and_answers_does_not_stall() {
    let (client, _) = pair_with(|server| server);
    let text = vec![3; 100_000];
    // All requests are queued before any is sent, and their answers are as long.
    let calls = (0..400).map(|_| client.call::<Echoed<'static>>(&Sums::Echo { text: &text }));
    let answers = join_all(calls.collect::<Vec<_>>());
    let answers = timeout(STALL, answers).await.expect("a stall");
    for answer in answers {
        assert!(answer.unwrap().decode().unwrap() == text);
    }
}

/// Hazard 21, with a server that has no room for more calls.
#[tokio::test(flavor = "multi_thread")]
async fn h21_a_flood_against_small_bounds_does_not_stall() {
    let (client, _) = pair_with(|server| server.calls(1));
    let tasks = (0..16).map(|task: u64| {
        let client = client.clone();
        tokio::spawn(async move {
            let text = vec![task as u8; 300_000];
            for number in 0..20 {
                let large = client.call::<Echoed<'static>>(&Sums::Echo { text: &text });
                let slow = client.call::<Sum>(&Sums::Slow { millis: 1 });
                client.notify(&Sums::Note(1)).await.unwrap();
                assert_eq!(add(&client, task, number).await.unwrap(), task + number);
                assert!(large.await.unwrap().decode().unwrap() == text);
                slow.await.unwrap().decode().unwrap();
            }
        })
    });
    let tasks = join_all(tasks.collect::<Vec<_>>());
    let done = timeout(STALL, tasks).await.expect("a stall");
    done.into_iter().for_each(|task| task.unwrap());
}

/// Hazard 23: the process at the other end is killed.
#[tokio::test]
async fn h23_a_killed_peer_fails_all_calls_at_once() {
    let (client, server) = Connection::pair().unwrap();
    let (server, _) = server.into_blocking().into_fd().unwrap();
    let mut process = Command::new("sleep").arg("1000").stdin(Stdio::from(server)).spawn().unwrap();
    let client = Client::<Protocol>::new(client);
    let failed = Arc::new(AtomicU64::new(0));
    for number in 0..1000 {
        let (client, failed) = (client.clone(), Arc::clone(&failed));
        tokio::spawn(async move {
            // More than the socket holds.
            let text = vec![0; 10_000];
            let error = match number % 2 {
                0 => add(&client, 1, 1).await.unwrap_err(),
                _ => client
                    .call::<Echoed<'static>>(&Sums::Echo { text: &text })
                    .await
                    .unwrap_err()
                    .widen(),
            };
            let is_told = matches!(error, CallError::Disconnected(_) | CallError::NotSent(_));
            assert!(is_told, "{error:?}");
            failed.fetch_add(1, Ordering::SeqCst);
        });
    }
    until(|| client.in_flight() == 1000).await;
    process.kill().unwrap();
    process.wait().unwrap();
    until(|| failed.load(Ordering::SeqCst) == 1000).await;
    assert_eq!(client.in_flight(), 0);
}
