//! The spans of calls, as a subscriber of `tracing` sees them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod collector;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Context, ItemSender, Responder, Server};
use datagrammar::tokio::calls as awaited;
use datagrammar::{Connection, Message, Protocol, tokio as endpoints};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber, info};

use crate::collector::{Collector, Span};

#[derive(Message, Protocol)]
enum Sums<'a> {
    #[message(tag = 1, reply = Result<u64, String>)]
    Add { left: u64, right: u64 },
    #[message(tag = 2, reply = &[u8])]
    Echo { content: &'a [u8] },
    #[message(tag = 3, items = Number)]
    Count { to: u64 },
    #[message(tag = 4)]
    Note(u64),
    #[message(tag = 5, reply = u64)]
    Panic,
    /// Waits until it is cancelled.
    #[message(tag = 6, reply = u64)]
    Wait,
}

#[derive(Message)]
#[message(tag = 1)]
struct Number(u64);

struct Handler;

fn sum(left: u64, right: u64) -> Result<u64, String> {
    info!("in the handler");
    left.checked_add(right).ok_or("too much".into())
}

impl SumsHandler for Handler {
    fn add(&self, _: &Context, left: u64, right: u64) -> Result<u64, String> {
        sum(left, right)
    }

    fn echo(&self, _: &Context, content: &[u8], to: Responder<SumsEchoAnswer<'static>>) {
        to.send(Ok(content)).unwrap();
    }

    fn count(&self, _: &Context, to: u64, mut items: ItemSender<Number>) {
        _ = (0..to).try_for_each(|number| items.send(&Number(number)));
    }

    fn note(&self, _: &Context, _: u64) {}

    fn panic(&self, _: &Context) -> u64 {
        panic!("as asked");
    }

    fn wait(&self, cx: &Context) -> u64 {
        while !cx.is_cancelled() {
            thread::sleep(Duration::from_millis(1));
        }
        0
    }
}

impl SumsTokioHandler for Handler {
    async fn add(&self, _: &Context, left: u64, right: u64) -> Result<u64, String> {
        // The handler continues in a task of its own.
        tokio::task::yield_now().await;
        sum(left, right)
    }

    async fn echo(&self, _: &Context, content: &[u8], to: Responder<SumsEchoAnswer<'static>>) {
        to.send(Ok(content)).unwrap();
    }

    async fn count(&self, _: &Context, to: u64, mut items: awaited::ItemSender<Number>) {
        for number in 0..to {
            if items.send(&Number(number)).await.is_err() {
                return;
            }
        }
    }

    async fn note(&self, _: &Context, _: u64) {}

    async fn panic(&self, _: &Context) -> u64 {
        panic!("as asked");
    }

    async fn wait(&self, cx: &Context) -> u64 {
        cx.cancelled().await;
        0
    }
}

/// Returns the id, the name and the outcome of each span of a side.
fn lines(spans: &[Span], kind: &str) -> Vec<String> {
    let spans = spans.iter().filter(|span| span.kind == kind);
    spans
        .map(|Span { name, id, outcome, .. }| {
            format!("{} {name}: {outcome}", id.unwrap_or_default())
        })
        .collect()
}

fn check(spans: &[Span], called: &[&str], handled: &[&str]) {
    assert_eq!(lines(spans, "call"), called);
    let mut lines = lines(spans, "handle");
    // The handler may notice the deadline before the caller's cancellation arrives.
    lines.iter_mut().for_each(|line| *line = line.replace("timed out", "cancelled"));
    assert_eq!(lines, handled);
    let is_in = |span: &&Span| span.events > 0;
    assert!(spans.iter().filter(is_in).all(|span| span.kind == "handle" && span.name == "Add"));
    assert_eq!(spans.iter().filter(is_in).count(), 2);
}

#[test]
fn blocking_calls_have_spans() {
    let (collector, _turn) = Collector::start();
    let (client, server) = Connection::pair().unwrap();
    let serving = thread::spawn(|| Server::new(SumsService(Handler)).threads(1).serve(server));
    let client = SumsClient::new(client);
    assert_eq!(client.add(1, 2).unwrap(), 3);
    client.add(u64::MAX, 1).unwrap_err();
    client.echo(b"abc").unwrap().decode().unwrap();
    let mut few = client.count(2).unwrap();
    while few.recv().unwrap().is_some() {}
    client.note(1).unwrap();
    client.panic().unwrap_err();
    let hasty = client.deadline(Instant::now() + Duration::from_millis(50));
    assert!(matches!(hasty.wait(), Err(CallError::TimedOut)));
    let mut items = client.count(u64::MAX).unwrap();
    items.recv().unwrap().unwrap();
    drop((few, items, client, hasty));
    serving.join().unwrap().unwrap();
    check(
        &collector.take(),
        &[
            "1 Add: done",
            "2 Add: error",
            "3 Echo: done",
            "4 Count: done",
            "0 Note: done",
            "5 Panic: failed",
            "6 Wait: timed out",
            "7 Count: cancelled",
        ],
        &[
            "1 Add: done",
            "2 Add: error",
            "3 Echo: done",
            "4 Count: done",
            "0 Note: done",
            "5 Panic: failed",
            "6 Wait: cancelled",
            "7 Count: cancelled",
        ],
    );
}

#[test]
fn awaited_calls_have_spans() {
    let (collector, _turn) = Collector::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(call_awaited(&collector));
}

async fn call_awaited(collector: &Collector) {
    let (client, server) = endpoints::Connection::pair().unwrap();
    let serving = awaited::Server::new(SumsTokioService(Handler));
    let serving = tokio::spawn(async move { serving.serve(server).await });
    let client = SumsTokioClient::new(client);
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    client.add(u64::MAX, 1).await.unwrap_err();
    client.echo(b"abc").await.unwrap().decode().unwrap();
    let mut few = client.count(2).unwrap();
    while few.recv().await.unwrap().is_some() {}
    client.note(1).await.unwrap();
    client.panic().await.unwrap_err();
    let hasty = client.deadline(Instant::now() + Duration::from_millis(50));
    assert!(matches!(hasty.wait().await, Err(CallError::TimedOut)));
    drop(client.wait());
    let mut items = client.count(u64::MAX).unwrap();
    items.recv().await.unwrap().unwrap();
    drop((few, items, client, hasty));
    serving.await.unwrap().unwrap();
    // Handlers continue until they notice that they are cancelled.
    let start = Instant::now();
    while collector.is_open() {
        assert!(start.elapsed() < Duration::from_secs(60));
        tokio::task::yield_now().await;
    }
    check(
        &collector.take(),
        &[
            "1 Add: done",
            "2 Add: error",
            "3 Echo: done",
            "4 Count: done",
            "0 Note: done",
            "5 Panic: failed",
            "6 Wait: timed out",
            "7 Wait: cancelled",
            "8 Count: cancelled",
        ],
        &[
            "1 Add: done",
            "2 Add: error",
            "3 Echo: done",
            "4 Count: done",
            "0 Note: done",
            "5 Panic: failed",
            "6 Wait: cancelled",
            "7 Wait: cancelled",
            "8 Count: cancelled",
        ],
    );
}

/// A subscriber that panics when it learns the id of the first call.
struct Clumsy(AtomicBool);

impl Subscriber for Clumsy {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {
        assert!(self.0.swap(true, Ordering::Relaxed), "as the test asks");
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_subscriber_that_panics_holds_up_no_other_call() {
    let (collector, _turn) = Collector::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, server) = endpoints::Connection::pair().unwrap();
        let serving = awaited::Server::new(SumsTokioService(Handler));
        let serving = tokio::spawn(async move { serving.serve(server).await });
        let client = SumsTokioClient::new(client);
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        let calls: [fn(&SumsTokioClient); 2] =
            [|client| drop(client.add(1, 2)), |client| drop(client.count(2))];
        for call in calls {
            with_default(Clumsy(AtomicBool::new(false)), || {
                catch_unwind(AssertUnwindSafe(|| call(&client))).unwrap_err();
            });
            let added = tokio::time::timeout(Duration::from_secs(60), client.add(1, 2));
            assert_eq!(added.await.expect("its request is sent").unwrap(), 3);
            assert_eq!(client.calls.in_flight(), 0);
        }
        drop(client);
        serving.await.unwrap().unwrap();
    });
    drop(runtime);
    collector.take();
}
