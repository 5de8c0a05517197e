//! The bounds of a server, and how it stops.

use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use datagrammar::calls::{Answers, Call, CallError};
use datagrammar::to_vec;
use datagrammar::tokio::calls::{Client, ItemSender, Server, Service};
use datagrammar::tokio::{Connection, Listener};
use datagrammar_tests::Directory;
use rustix::net::{SendFlags, send};
use tokio::time::{sleep, timeout};

use super::{Handler, Ours, Protocol, STALL, add, pair_with, poll_once, spawn, until};
use crate::peer::{Peer, REQUEST, part};
use crate::protocol::{Counted, Echoed, Sum, Sums};

#[tokio::test]
async fn no_more_calls_are_read_than_may_run() {
    let (client, seen) = pair_with(|server| server.calls(3));
    let slow = |_| client.call::<Sum>(&Sums::Slow { millis: u64::MAX });
    let mut slow: Vec<_> = (0..3).map(slow).collect();
    until(|| seen.begun.load(Ordering::SeqCst) == 3).await;
    let more = client.call::<Sum>(&Sums::Add { left: 1, right: 2 });
    sleep(Duration::from_millis(50)).await;
    assert_eq!(seen.begun.load(Ordering::SeqCst), 3);
    // A cancellation is noticed behind a request that may not begin.
    drop(slow.pop());
    assert_eq!(more.await.unwrap().decode().unwrap(), 3);
    assert_eq!(seen.cancelled(), 1);
    drop((slow, client));
    until(|| seen.cancelled() == 3).await;
}

/// Sends one item, and waits until the server stops. In a call without items, keeps the future that waits.
struct Watcher;

impl Service for Watcher {
    type Protocol = Protocol;

    async fn handle(self: Arc<Self>, mut call: Call<Protocol>) {
        let Some((cx, request, answer)) = call.open() else { return };
        assert!(!cx.is_stopping());
        match request {
            Sums::Count { .. } => {
                let mut items = ItemSender::from(answer.items::<Counted>());
                items.send(&Counted(1)).await.unwrap();
                cx.stopping().await;
                assert!(cx.is_stopping() && !cx.is_cancelled());
                // At once, now.
                cx.stopping().await;
                items.end();
            }
            _ => {
                tokio::select! {
                    () = cx.cancelled() => panic!("nobody cancels the call"),
                    () = cx.stopping() => answer.reply::<Sum>(Ok(7)),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_stop_wakes_the_handlers_that_wait_for_it() {
    let (client, connection) = Connection::pair().unwrap();
    let server = Server::new(Watcher);
    let stopper = server.stopper();
    let serving = tokio::spawn(async move { server.serve(connection).await });
    let client: Ours = Client::new(client);
    let mut calls: Vec<_> =
        (0..100).map(|_| Box::pin(client.call::<Sum>(&Sums::Slow { millis: 0 }))).collect();
    assert!(poll_once(calls[0].as_mut()).await.is_none());
    let mut items = client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
    assert_eq!(items.recv().await.unwrap().unwrap().0, 1);
    let stopped = timeout(STALL, stopper.stop(Instant::now() + 2 * STALL));
    assert_eq!(stopped.await.expect("all handlers end"), 0);
    assert!(items.recv().await.unwrap().is_none());
    for call in calls {
        assert_eq!(call.await.unwrap().decode().unwrap(), 7);
    }
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_end_is_seen_behind_requests_that_are_not_read() {
    let (client, server) = Connection::pair().unwrap();
    let handler = Handler::default();
    let seen = Arc::clone(&handler.seen);
    spawn(Server::new(handler).calls(2), server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = client.into_blocking();
    let client: Ours = {
        let _guard = runtime.enter();
        Client::new(Connection::from_blocking(client).unwrap())
    };
    let text = vec![0; 50_000];
    let slow = |_| client.call::<Sum>(&Sums::Slow { millis: u64::MAX });
    let slow: Vec<_> = (0..2).map(slow).collect();
    let more: Vec<_> =
        (0..100).map(|_| client.call::<Echoed<'static>>(&Sums::Echo { text: &text })).collect();
    until(|| seen.begun.load(Ordering::SeqCst) == 2).await;
    sleep(Duration::from_millis(50)).await;
    assert_eq!((seen.begun.load(Ordering::SeqCst), seen.cancelled()), (2, 0));
    // The task of the client ends without sending the queued requests.
    runtime.shutdown_background();
    until(|| seen.cancelled() == 2).await;
    drop((slow, more));
}

#[tokio::test]
async fn a_request_that_was_cancelled_or_is_late_does_not_begin() {
    let (client, seen) = pair_with(|server| server.calls(4));
    let slow = |_| client.call::<Sum>(&Sums::Slow { millis: u64::MAX });
    let slow: Vec<_> = (0..4).map(slow).collect();
    let hasty = client.deadline(Instant::now() + Duration::from_millis(20));
    let late = hasty.call::<Sum>(&Sums::Add { left: 1, right: 2 });
    drop(client.call::<Sum>(&Sums::Add { left: 1, right: 2 }));
    assert!(matches!(late.await, Err(CallError::TimedOut)));
    // The server reads this behind the other requests.
    drop(slow);
    assert_eq!(add(&client, 1, 2).await.unwrap(), 3);
    assert_eq!(seen.begun.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_call_that_ends_admits_the_next_one() {
    let (client, seen) = pair_with(|server| server.calls(3));
    let calls: Vec<_> = (0..30).map(|_| client.call::<Sum>(&Sums::Slow { millis: 10 })).collect();
    let began = Instant::now();
    for call in calls {
        assert_eq!(call.await.unwrap().decode().unwrap(), 0);
    }
    assert!(began.elapsed() >= Duration::from_millis(90), "{:?}", began.elapsed());
    assert_eq!(seen.begun.load(Ordering::SeqCst), 30);
}

#[tokio::test]
async fn all_connections_share_a_bound() {
    let handler = Handler::default();
    let seen = Arc::clone(&handler.seen);
    let server = Server::new(handler).calls_in_all(2);
    let clients: Vec<Ours> = (0..4)
        .map(|_| {
            let (client, connection) = Connection::pair().unwrap();
            spawn(server.clone(), connection);
            Client::new(client)
        })
        .collect();
    let calls: Vec<_> =
        (0..40).map(|number| clients[number % 4].call::<Sum>(&Sums::Slow { millis: 5 })).collect();
    let began = Instant::now();
    for call in calls {
        call.await.unwrap().decode().unwrap();
    }
    assert!(began.elapsed() >= Duration::from_millis(95), "{:?}", began.elapsed());
    assert_eq!(seen.begun.load(Ordering::SeqCst), 40);
}

#[tokio::test]
async fn streams_beyond_the_bound_are_refused_and_others_go_on() {
    let (client, _) = pair_with(|server| server.calls(1).streams(2));
    let stream = || client.items::<Counted>(&Sums::Count { to: 1000 }).unwrap();
    let (mut first, mut second, mut third) = (stream(), stream(), stream());
    assert!(matches!(third.recv().await, Err(CallError::Busy)));
    assert_eq!(add(&client, 1, 2).await.unwrap(), 3);
    for number in 0..1000 {
        assert_eq!(first.recv().await.unwrap().unwrap().0, number);
        assert_eq!(second.recv().await.unwrap().unwrap().0, number);
    }
    assert!(first.recv().await.unwrap().is_none());
    assert_eq!(stream().recv().await.unwrap().unwrap().0, 0);
}

#[tokio::test]
async fn a_server_that_stops_finishes_calls_and_tells_the_rest() {
    for is_late in [false, true] {
        let handler = Handler::default();
        let seen = Arc::clone(&handler.seen);
        let server = Server::new(handler);
        let (stopper, (client, connection)) = (server.stopper(), Connection::pair().unwrap());
        let serving = tokio::spawn(async move { server.serve(connection).await });
        let client: Ours = Client::new(client);
        let short = client.call::<Sum>(&Sums::Slow { millis: 50 });
        let long = client.call::<Sum>(&Sums::Slow { millis: u64::MAX });
        until(|| seen.begun.load(Ordering::SeqCst) == 2).await;
        if is_late {
            assert_eq!(short.await.unwrap().decode().unwrap(), 0);
            let stopping = tokio::spawn(async move { stopper.stop(Instant::now()).await });
            assert!(matches!(long.await, Err(CallError::Cancelled)));
            assert_eq!(stopping.await.unwrap(), 1);
        } else {
            let mut stopping = pin!(stopper.stop(Instant::now() + STALL));
            assert_eq!(poll_once(stopping.as_mut()).await, None);
            // The long call keeps the server from ending.
            assert!(matches!(add(&client, 1, 2).await, Err(CallError::Stopping)));
            assert_eq!(short.await.unwrap().decode().unwrap(), 0);
            drop(long);
            assert_eq!(stopping.await, 0);
        }
        serving.await.unwrap().unwrap();
        until(|| seen.cancelled() == 1).await;
        let late = add(&client, 1, 2).await;
        assert!(
            matches!(late, Err(CallError::Disconnected(_) | CallError::NotSent(_))),
            "{late:?}"
        );
    }
}

/// A program that ends when `run` returns cuts off no call.
#[tokio::test]
async fn a_server_runs_until_its_connections_have_ended() {
    let directory = Directory::new();
    for is_stopped in [false, true] {
        let address = directory.address(if is_stopped { "stopped" } else { "shut" });
        let handler = Handler::default();
        let seen = Arc::clone(&handler.seen);
        let listener = Arc::new(Listener::bind(&address).unwrap());
        let server = Server::new(handler);
        let stopper = server.stopper();
        let accepting = Arc::clone(&listener);
        let mut running = tokio::spawn(async move { server.run(&accepting).await });
        let client: Ours = Client::connect(&address).await.unwrap();
        let slow = client.call::<Sum>(&Sums::Slow { millis: u64::MAX });
        until(|| seen.begun.load(Ordering::SeqCst) == 1).await;
        let mut stopping = pin!(stopper.stop(Instant::now() + STALL));
        match is_stopped {
            true => assert_eq!(poll_once(stopping.as_mut()).await, None),
            false => listener.shutdown().unwrap(),
        }
        assert!(timeout(Duration::from_millis(50), &mut running).await.is_err());
        drop(slow);
        if is_stopped {
            assert_eq!(stopping.await, 0);
        } else {
            drop(client);
        }
        timeout(STALL, running).await.expect("a stall").unwrap().unwrap();
    }
}

/// Requests that wait in the socket because no more calls may begin are read when calls may begin again.
#[tokio::test]
async fn requests_that_wait_in_the_socket_are_read() {
    let (ours, theirs) = Connection::<Protocol, Answers<Protocol>>::pair().unwrap();
    let (peer, _) = ours.into_blocking().into_fd().unwrap();
    for id in 1..=20 {
        let frame = to_vec(&Sums::Slow { millis: 20 }).unwrap();
        send(&peer, &part(REQUEST, 0, id, &frame), SendFlags::empty()).unwrap();
    }
    spawn(Server::new(Handler::default()).calls(3), theirs);
    let mut peer = Peer::new(peer);
    let answers = tokio::task::spawn_blocking(move || peer.sorted(20));
    let answers = timeout(STALL, answers).await.expect("a stall").unwrap();
    assert!(answers.iter().map(|answer| answer.id).eq(1..=20));
}

#[tokio::test]
async fn a_handler_that_panics_later_fails_its_caller_alone() {
    for yields in [false, true] {
        let (client, server) = Connection::pair().unwrap();
        spawn(Server::new(Handler { yields, ..Handler::default() }), server);
        let client: Ours = Client::new(client);
        let call = client.call::<Sum>(&Sums::Panic);
        let other = client.call::<Sum>(&Sums::Add { left: 1, right: 2 });
        assert!(matches!(call.await, Err(CallError::Failed)));
        assert_eq!(other.await.unwrap().decode().unwrap(), 3);
    }
}

/// A future that panics when it is dropped after it has answered.
#[tokio::test]
async fn a_handler_that_panics_when_it_is_dropped_fails_no_other_call() {
    struct Clumsy(Option<Call<Protocol>>);

    impl Future for Clumsy {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            let Some(mut call) = self.0.take() else { return Poll::Ready(()) };
            let Some((_, Sums::Add { left, right }, answer)) = call.open() else { panic!() };
            answer.reply::<Sum>(Ok(left + right));
            Poll::Ready(())
        }
    }

    impl Drop for Clumsy {
        fn drop(&mut self) {
            panic!("as asked");
        }
    }

    struct Handler;

    impl Service for Handler {
        type Protocol = Protocol;

        fn handle(self: Arc<Self>, call: Call<Protocol>) -> impl Future<Output = ()> + 'static {
            Clumsy(Some(call))
        }
    }

    let (client, server) = Connection::pair().unwrap();
    tokio::spawn(async move { Server::new(Handler).serve(server).await.unwrap() });
    let client: Ours = Client::new(client);
    for number in 0..3 {
        assert_eq!(add(&client, number, 1).await.unwrap(), number + 1);
    }
}

/// Handlers that do not check for cancellation keep their connection open, but not its client.
#[tokio::test]
async fn dropping_a_server_ends_the_connection_though_handlers_go_on() {
    struct Deaf(Arc<AtomicBool>);

    impl Service for Deaf {
        type Protocol = Protocol;

        async fn handle(self: Arc<Self>, call: Call<Protocol>) {
            self.0.store(true, Ordering::SeqCst);
            pending::<()>().await;
            drop(call);
        }
    }

    let (client, server) = Connection::pair().unwrap();
    let has_begun = Arc::new(AtomicBool::new(false));
    let deaf = Deaf(Arc::clone(&has_begun));
    let serving = tokio::spawn(async move { Server::new(deaf).serve(server).await });
    let client: Ours = Client::new(client);
    let call = tokio::spawn(client.call::<Sum>(&Sums::Add { left: 1, right: 2 }));
    until(|| has_begun.load(Ordering::SeqCst)).await;
    serving.abort();
    let ended = timeout(STALL, call).await.expect("it fails").unwrap();
    assert!(matches!(ended, Err(CallError::Disconnected(_))), "{ended:?}");
}
