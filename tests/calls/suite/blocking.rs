//! Blocking handlers and clients.

use std::any::Any;
use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{
    self, Answer, Answers, CallError, Context, ItemSender, Protocol, Reply, Responder, Server,
    Service,
};
use datagrammar::{Connection, Listener};

use super::ends::{Client, End, Numbers, Version, number};
use super::protocol::{
    BLOCK, Block, Handler, Number, Seen, State, SuiteEchoAnswer, SuiteHandler, SuiteHoldAnswer,
    SuiteService, left, older, sum,
};

/// The stack of a thread that makes one call.
const STACK: usize = 128 * 1024;

impl Handler {
    fn block_until_cancelled(&self, cx: &Context) {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        while !cx.is_cancelled() {
            thread::sleep(Duration::from_millis(1));
        }
        self.0.cancelled.fetch_add(1, Ordering::SeqCst);
    }

    fn push(&self, to: u64, items: &mut ItemSender<Number>) {
        for number in 0..to {
            if items.send(&Number(number)).is_err() {
                return;
            }
            self.0.sent.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl SuiteHandler for Handler {
    fn add(&self, _: &Context, left: u64, right: u64, more: u64) -> Result<u64, String> {
        sum(left, right, more)
    }

    fn add_all(&self, _: &Context, left: u64, right: u64, more: u64) -> u64 {
        left + right + more
    }

    fn stop(&self, _: &Context, at_once: bool) {
        self.0.stop(at_once);
    }

    fn hold(&self, _: &Context, number: u64, of: u64, to: Responder<SuiteHoldAnswer<'static>>) {
        self.0.hold(number, of, to);
    }

    fn echo(&self, _: &Context, content: &[u8], to: Responder<SuiteEchoAnswer<'static>>) {
        to.send(Ok(content)).unwrap();
    }

    fn count(&self, _: &Context, to: u64, mut items: ItemSender<Number>) {
        self.push(to, &mut items);
        self.0.answer_held();
    }

    fn note(&self, _: &Context, number: u64) {
        self.0.noted.fetch_add(number, Ordering::SeqCst);
    }

    fn wait(&self, cx: &Context) -> u64 {
        self.block_until_cancelled(cx);
        0
    }

    fn watch(&self, cx: &Context, mut items: ItemSender<Number>) {
        if items.send(&Number(0)).is_err() {
            return;
        }
        self.block_until_cancelled(cx);
    }

    fn panic(&self, _: &Context) -> u64 {
        panic!("as asked");
    }

    fn panic_after(&self, _: &Context, to: u64, mut items: ItemSender<Number>) {
        self.push(to, &mut items);
        panic!("as asked");
    }

    fn left(&self, cx: &Context) -> Option<u64> {
        left(cx)
    }

    fn r#return(&self, _: &Context, file: File) -> File {
        file
    }

    fn see(&self, _: &Context) -> Seen {
        self.0.seen()
    }

    fn flood(&self, _: &Context, mut items: ItemSender<Block<'static>>) {
        while items.send(&Block(&[7; BLOCK])).is_ok() {
            self.0.sent.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl older::SuiteHandler for Handler {
    fn add(&self, _: &Context, left: u64, right: u64) -> Result<u64, String> {
        sum(left, right, 0)
    }

    fn add_all(&self, _: &Context, left: u64, right: u64) -> u64 {
        left + right
    }

    fn stop(&self, _: &Context, at_once: bool) {
        self.0.stop(at_once);
    }

    fn count(&self, _: &Context, to: u64, mut items: ItemSender<Number>) {
        self.push(to, &mut items);
    }
}

pub(crate) fn serve(version: Version, state: Arc<State>, end: End, ready: impl FnOnce()) {
    let handler = Handler(Arc::clone(&state));
    match version {
        Version::Old => run(older::SuiteService(handler), &state, end, ready),
        Version::New => run(SuiteService(handler), &state, end, ready),
    }
}

fn run(service: impl Service<Protocol: 'static>, state: &State, end: End, ready: impl FnOnce()) {
    let server = Server::new(service);
    let stopper = server.stopper();
    let stop = move |deadline| {
        let stopper = stopper.clone();
        thread::spawn(move || stopper.stop(deadline));
    };
    assert!(state.stop.set(Box::new(stop)).is_ok());
    match end {
        End::Adopted(fd) => server.serve(Connection::adopt(fd).unwrap()).unwrap(),
        End::Inherited => server.serve(Connection::inherited().unwrap()).unwrap(),
        End::At(address) => {
            let listener = Listener::bind(&address).unwrap();
            ready();
            server.run(&listener).unwrap();
        }
    }
}

/// A client whose threads wait.
pub(crate) struct Blocking<P: Protocol>(calls::Client<P>);

impl<P: Protocol + 'static> Client<P> for Blocking<P> {
    fn open(end: End) -> Self {
        Self(match end {
            End::Adopted(fd) => calls::Client::new(Connection::<P, Answers<P>>::adopt(fd).unwrap()),
            End::Inherited => calls::Client::new(Connection::inherited().unwrap()),
            End::At(address) => calls::Client::connect(&address).unwrap(),
        })
    }

    fn deadline(&self, deadline: Instant) -> Self {
        Self(self.0.deadline(deadline))
    }

    fn notify(&self, request: &P::Borrowed<'_>) -> Result<(), CallError> {
        self.0.notify(request)
    }

    fn call<R: Reply + 'static>(&self, request: &P::Borrowed<'_>) -> Result<Answer<R>, CallError> {
        self.0.call(request)
    }

    fn numbers(&self, request: &P::Borrowed<'_>) -> Result<Numbers, CallError> {
        let mut items = self.0.items::<Number>(request)?;
        Ok(Box::new(move || items.recv().map(number)))
    }

    fn leave<I: 'static>(&self, request: &P::Borrowed<'_>) -> Result<Box<dyn Any>, CallError> {
        Ok(Box::new(self.0.items::<I>(request)?))
    }

    /// Each call has a thread of its own.
    fn call_all<R: Reply + 'static>(
        &self,
        count: u64,
        request: impl Fn(u64) -> P::Borrowed<'static> + Sync,
        meanwhile: impl FnOnce(),
    ) -> Vec<Result<Answer<R>, CallError>> {
        let call = |number| self.0.call::<R>(&request(number));
        let call = &call;
        thread::scope(|scope| {
            let calls = (0..count).map(|number| {
                let thread = thread::Builder::new().stack_size(STACK);
                thread.spawn_scoped(scope, move || call(number)).unwrap()
            });
            let calls: Vec<_> = calls.collect();
            meanwhile();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        })
    }

    fn can_call_all(count: u64) -> bool {
        let gate = Mutex::new(());
        thread::scope(|scope| {
            let _closed = gate.lock().unwrap();
            (0..count).all(|_| {
                let thread = thread::Builder::new().stack_size(STACK);
                thread.spawn_scoped(scope, || drop(gate.lock())).is_ok()
            })
        })
    }

    fn give_up<R: Reply + 'static>(&self, request: &P::Borrowed<'_>, has_begun: impl Fn() -> bool) {
        let mut call = self.0.start::<R>(request).unwrap();
        while !has_begun() {
            assert!(!call.wait_deadline(Instant::now() + Duration::from_millis(1)));
        }
        drop(call);
    }

    fn in_flight(&self) -> usize {
        self.0.in_flight()
    }

    fn dropped(&self) -> u64 {
        self.0.dropped()
    }
}
