//! One suite over blocking and awaited clients and servers.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{self, CallError};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, Server};

use super::{Handler, Ours, Protocol, ServerEnd, add, until};
use crate::protocol::{Counted, Echoed, Length, Opened, Sum, Sums};

fn connections() -> (Connection<Protocol, calls::Answers<Protocol>>, ServerEnd) {
    Connection::pair().unwrap()
}

/// Serves with awaited handlers until the client has gone. Returns what was noted.
async fn serve(server: ServerEnd, yields: bool) -> u64 {
    let handler = Handler { yields, ..Handler::default() };
    let seen = Arc::clone(&handler.seen);
    Server::new(handler).serve(server).await.unwrap();
    seen.noted.load(Ordering::SeqCst)
}

/// Serves with blocking handlers.
async fn serve_blocking(server: ServerEnd) -> u64 {
    let server = server.into_blocking();
    let served = tokio::task::spawn_blocking(move || {
        let noted = Arc::default();
        let handler = crate::Handler { noted: Arc::clone(&noted), ..crate::Handler::default() };
        calls::Server::new(handler).threads(4).serve(server).unwrap();
        noted.load(Ordering::SeqCst)
    });
    served.await.unwrap()
}

async fn suite(client: Ours) {
    assert_eq!(add(&client, 1, 2).await.unwrap(), 3);
    let error = add(&client, u64::MAX, 1).await.unwrap_err();
    assert!(matches!(error, CallError::Answered(text) if text == "too much"));

    let text = vec![7; 5 << 20];
    let answer = client.call::<Echoed<'static>>(&Sums::Echo { text: &text });
    assert!(answer.await.unwrap().decode().unwrap() == text);
    client.notify(&Sums::Note(5)).await.unwrap();
    assert!(matches!(client.call::<Sum>(&Sums::Panic).await, Err(CallError::Failed)));

    let file = File::open("/proc/self/exe").unwrap();
    let len = file.metadata().unwrap().len();
    let answer = client.call::<Length>(&Sums::Measure { file });
    assert_eq!(answer.await.unwrap().decode().unwrap(), len);
    let answer = client.call::<Opened>(&Sums::Open { path: "/proc/version" });
    let mut text = String::new();
    answer.await.unwrap().decode().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.starts_with("Linux"));

    let mut items = client.items::<Counted>(&Sums::Count { to: 100 }).unwrap();
    for number in 0..100 {
        assert_eq!(items.recv().await.unwrap().unwrap().0, number);
    }
    assert!(items.recv().await.unwrap().is_none());
    assert!(items.recv().await.unwrap().is_none());

    let hasty = client.deadline(Instant::now() + Duration::from_millis(20));
    // The handler stops at the same time, and its answer may just come.
    match hasty.call::<Sum>(&Sums::Slow { millis: 100_000 }).await {
        Ok(mut answer) => assert_eq!(answer.decode().unwrap(), 1),
        Err(error) => assert!(matches!(error, CallError::TimedOut), "{error:?}"),
    }
    drop(client.call::<Sum>(&Sums::Slow { millis: 100_000 }));
    assert_eq!(add(&client, 3, 4).await.unwrap(), 7);
    assert_eq!(client.in_flight(), 0);
}

fn suite_blocking(client: &calls::Client<Protocol>) {
    let add = |left, right| {
        let answer = client.call::<Sum>(&Sums::Add { left, right });
        answer.map_err(CallError::widen)?.decode()
    };
    assert_eq!(add(1, 2).unwrap(), 3);
    let error = add(u64::MAX, 1).unwrap_err();
    assert!(matches!(error, CallError::Answered(text) if text == "too much"));

    let text = vec![7; 5 << 20];
    let mut answer = client.call::<Echoed<'static>>(&Sums::Echo { text: &text }).unwrap();
    assert!(answer.decode().unwrap() == text);
    client.notify(&Sums::Note(5)).unwrap();
    assert!(matches!(client.call::<Sum>(&Sums::Panic), Err(CallError::Failed)));

    let file = File::open("/proc/self/exe").unwrap();
    let len = file.metadata().unwrap().len();
    let answer = client.call::<Length>(&Sums::Measure { file });
    assert_eq!(answer.unwrap().decode().unwrap(), len);
    let answer = client.call::<Opened>(&Sums::Open { path: "/proc/version" });
    let mut text = String::new();
    answer.unwrap().decode().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.starts_with("Linux"));

    let mut items = client.items::<Counted>(&Sums::Count { to: 100 }).unwrap();
    for number in 0..100 {
        assert_eq!(items.recv().unwrap().unwrap().0, number);
    }
    assert!(items.recv().unwrap().is_none());
    let hasty = client.deadline(Instant::now() + Duration::from_millis(20));
    match hasty.call::<Sum>(&Sums::Slow { millis: 100_000 }) {
        Ok(mut answer) => assert_eq!(answer.decode().unwrap(), 1),
        Err(error) => assert!(matches!(error, CallError::TimedOut), "{error:?}"),
    }
    thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                (0..200)
                    .for_each(|number| assert_eq!(add(thread, number).unwrap(), thread + number));
            });
        }
    });
    assert_eq!(client.in_flight(), 0);
}

#[tokio::test]
async fn an_awaited_client_of_an_awaited_server() {
    for yields in [false, true] {
        let (client, server) = connections();
        let served = tokio::spawn(serve(server, yields));
        suite(Client::new(client)).await;
        assert_eq!(served.await.unwrap(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_awaited_client_of_an_awaited_server_on_many_threads() {
    let (client, server) = connections();
    let served = tokio::spawn(serve(server, true));
    suite(Client::new(client)).await;
    assert_eq!(served.await.unwrap(), 5);
}

#[tokio::test]
async fn an_awaited_client_of_a_blocking_server() {
    let (client, server) = connections();
    let served = tokio::spawn(serve_blocking(server));
    suite(Client::new(client)).await;
    assert_eq!(served.await.unwrap(), 5);
}

#[tokio::test]
async fn a_blocking_client_of_an_awaited_server() {
    for yields in [false, true] {
        let (client, server) = connections();
        let served = tokio::spawn(serve(server, yields));
        let client = client.into_blocking();
        let called = tokio::task::spawn_blocking(|| suite_blocking(&calls::Client::new(client)));
        called.await.unwrap();
        assert_eq!(served.await.unwrap(), 5);
    }
}

#[tokio::test]
async fn over_a_path() {
    use datagrammar::tokio::Listener;
    let folder = tempfile::tempdir().unwrap();
    let address = datagrammar::Address::from_pathname(folder.path().join("socket")).unwrap();
    let listener = Listener::bind(&address).unwrap();
    let handler = Handler::default();
    let seen = Arc::clone(&handler.seen);
    let server = Server::new(handler);
    let stopper = server.stopper();
    let running = tokio::spawn(async move { server.run(&listener).await });
    for _ in 0..3 {
        suite(Ours::connect(&address).await.unwrap()).await;
    }
    until(|| seen.noted.load(Ordering::SeqCst) == 15).await;
    stopper.stop(Instant::now() + Duration::from_secs(1)).await;
    running.await.unwrap().unwrap();
}
