//! Handlers and clients under tokio.

use std::any::Any;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{Answer, CallError, Context, Protocol, Reply, Responder};
use datagrammar::tokio::calls::{self, ItemSender, Server, Service};
use datagrammar::tokio::{Connection, Listener};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use super::ends::{Client, End, Numbers, Version, number};
use super::protocol::{
    BLOCK, Block, Handler, Number, Seen, State, SuiteEchoAnswer, SuiteHoldAnswer,
    SuiteTokioHandler, SuiteTokioService, left, older, sum,
};

/// More calls than a test has in flight.
const CALLS: usize = 20_000;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

impl Handler {
    async fn wait_for_end(&self, cx: &Context) {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        cx.cancelled().await;
        self.0.cancelled.fetch_add(1, Ordering::SeqCst);
    }

    async fn send_numbers(&self, to: u64, items: &mut ItemSender<Number>) {
        for number in 0..to {
            if items.send(&Number(number)).await.is_err() {
                return;
            }
            self.0.sent.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl SuiteTokioHandler for Handler {
    /// Ends at the first poll, or later.
    async fn add(&self, _: &Context, left: u64, right: u64, more: u64) -> Result<u64, String> {
        if left % 2 == 1 {
            yield_now().await;
        }
        sum(left, right, more)
    }

    async fn add_all(&self, _: &Context, left: u64, right: u64, more: u64) -> u64 {
        left + right + more
    }

    async fn stop(&self, _: &Context, at_once: bool) {
        self.0.stop(at_once);
    }

    async fn hold(
        &self,
        _: &Context,
        number: u64,
        of: u64,
        to: Responder<SuiteHoldAnswer<'static>>,
    ) {
        self.0.hold(number, of, to);
    }

    async fn echo(&self, _: &Context, content: &[u8], to: Responder<SuiteEchoAnswer<'static>>) {
        to.send(Ok(content)).unwrap();
    }

    async fn count(&self, _: &Context, to: u64, mut items: ItemSender<Number>) {
        self.send_numbers(to, &mut items).await;
        self.0.answer_held();
    }

    async fn note(&self, _: &Context, number: u64) {
        self.0.noted.fetch_add(number, Ordering::SeqCst);
    }

    async fn wait(&self, cx: &Context) -> u64 {
        self.wait_for_end(cx).await;
        0
    }

    async fn watch(&self, cx: &Context, mut items: ItemSender<Number>) {
        if items.send(&Number(0)).await.is_err() {
            return;
        }
        self.wait_for_end(cx).await;
    }

    async fn panic(&self, _: &Context) -> u64 {
        panic!("as asked");
    }

    async fn panic_after(&self, _: &Context, to: u64, mut items: ItemSender<Number>) {
        self.send_numbers(to, &mut items).await;
        panic!("as asked");
    }

    async fn left(&self, cx: &Context) -> Option<u64> {
        left(cx)
    }

    async fn r#return(&self, _: &Context, file: File) -> File {
        file
    }

    async fn see(&self, _: &Context) -> Seen {
        self.0.seen()
    }

    async fn flood(&self, _: &Context, mut items: ItemSender<Block<'static>>) {
        while items.send(&Block(&[7; BLOCK])).await.is_ok() {
            self.0.sent.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl older::SuiteTokioHandler for Handler {
    async fn add(&self, _: &Context, left: u64, right: u64) -> Result<u64, String> {
        sum(left, right, 0)
    }

    async fn add_all(&self, _: &Context, left: u64, right: u64) -> u64 {
        left + right
    }

    async fn stop(&self, _: &Context, at_once: bool) {
        self.0.stop(at_once);
    }

    async fn count(&self, _: &Context, to: u64, mut items: ItemSender<Number>) {
        self.send_numbers(to, &mut items).await;
    }
}

pub(crate) fn serve(version: Version, state: Arc<State>, end: End, ready: impl FnOnce()) {
    let handler = Handler(Arc::clone(&state));
    match version {
        Version::Old => run(older::SuiteTokioService(handler), &state, end, ready),
        Version::New => run(SuiteTokioService(handler), &state, end, ready),
    }
}

fn run(service: impl Service, state: &State, end: End, ready: impl FnOnce()) {
    let runtime = runtime();
    let server = Server::new(service).calls(CALLS);
    let (stopper, handle) = (server.stopper(), runtime.handle().clone());
    let stop = move |deadline| {
        let stopper = stopper.clone();
        handle.spawn(async move { stopper.stop(deadline).await });
    };
    assert!(state.stop.set(Box::new(stop)).is_ok());
    runtime.block_on(async {
        match end {
            End::Adopted(fd) => server.serve(Connection::adopt(fd).unwrap()).await.unwrap(),
            End::Inherited => server.serve(Connection::inherited().unwrap()).await.unwrap(),
            End::At(address) => {
                let listener = Listener::bind(&address).unwrap();
                ready();
                server.run(&listener).await.unwrap();
            }
        }
    });
    // Handlers continue in tasks of the runtime until they notice that the connection has ended.
    while state.seen().cancelled < state.seen().waiting {
        thread::sleep(Duration::from_millis(1));
    }
}

/// A client whose tasks wait.
pub(crate) struct Awaited<P> {
    client: calls::Client<P>,
    runtime: Arc<Runtime>,
}

impl<P: Protocol + 'static> Client<P> for Awaited<P> {
    fn open(end: End) -> Self {
        let runtime = runtime();
        let client = runtime.block_on(async {
            match end {
                End::Adopted(fd) => calls::Client::new(Connection::adopt(fd).unwrap()),
                End::Inherited => calls::Client::new(Connection::inherited().unwrap()),
                End::At(address) => calls::Client::connect(&address).await.unwrap(),
            }
        });
        Self { client, runtime: Arc::new(runtime) }
    }

    fn deadline(&self, deadline: Instant) -> Self {
        Self { client: self.client.deadline(deadline), runtime: Arc::clone(&self.runtime) }
    }

    fn notify(&self, request: &P::Borrowed<'_>) -> Result<(), CallError> {
        self.runtime.block_on(self.client.notify(request))
    }

    fn call<R: Reply + 'static>(&self, request: &P::Borrowed<'_>) -> Result<Answer<R>, CallError> {
        self.runtime.block_on(self.client.call(request))
    }

    fn numbers(&self, request: &P::Borrowed<'_>) -> Result<Numbers, CallError> {
        let (mut items, runtime) =
            (self.client.items::<Number>(request)?, Arc::clone(&self.runtime));
        Ok(Box::new(move || runtime.block_on(items.recv()).map(number)))
    }

    fn leave<I: 'static>(&self, request: &P::Borrowed<'_>) -> Result<Box<dyn Any>, CallError> {
        Ok(Box::new(self.client.items::<I>(request)?))
    }

    /// Makes all calls at once, and then awaits them.
    fn call_all<R: Reply + 'static>(
        &self,
        count: u64,
        request: impl Fn(u64) -> P::Borrowed<'static> + Sync,
        meanwhile: impl FnOnce(),
    ) -> Vec<Result<Answer<R>, CallError>> {
        let calls: Vec<_> =
            (0..count).map(|number| self.client.call::<R>(&request(number))).collect();
        meanwhile();
        self.runtime.block_on(async {
            let mut answers = Vec::new();
            for call in calls {
                answers.push(call.await);
            }
            answers
        })
    }

    /// Drops the call.
    fn give_up<R: Reply + 'static>(&self, request: &P::Borrowed<'_>, has_begun: impl Fn() -> bool) {
        let call = self.client.call::<R>(request);
        while !has_begun() {
            thread::sleep(Duration::from_millis(1));
        }
        drop(call);
    }

    fn in_flight(&self) -> usize {
        self.client.in_flight()
    }

    fn dropped(&self) -> u64 {
        self.client.dropped()
    }
}
