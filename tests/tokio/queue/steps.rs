//! Futures that are polled one step at a time, and runtimes to do it in.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use datagrammar::SendError;
use datagrammar::tokio::{Connection, Queue, QueueDriver};
use datagrammar_tests::{Numbered, body};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

pub(super) type Ours = Connection<Numbered<'static>, Numbered<'static>>;
pub(super) type Numbers = Queue<Numbered<'static>>;

/// The kinds of runtime.
pub(super) fn runtimes() -> [Runtime; 2] {
    [current(), Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()]
}

pub(super) fn current() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Sends frame `number`, with a body of `len` bytes.
pub(super) async fn send(queue: &Numbers, number: u64, len: usize) -> Result<u64, SendError> {
    let body = body(number, len);
    queue.send(&Numbered::Numbered { number, len: len as u64, body: &body }).await
}

pub(super) fn try_send(queue: &Numbers, number: u64, len: usize) -> Result<u64, SendError> {
    let body = body(number, len);
    queue.try_send(&Numbered::Numbered { number, len: len as u64, body: &body })
}

/// Polls a driver until it has nothing to send, and the runtime has seen that the socket is writable.
pub(super) async fn started<Tx>(driver: QueueDriver<Tx>) -> Steps<QueueDriver<Tx>> {
    let mut driver = Steps::new(driver);
    assert!(driver.step().is_pending());
    settle().await;
    driver
}

/// Lets the runtime see which sockets are ready.
pub(super) async fn settle() {
    for _ in 0..2 {
        yield_now().await;
    }
}

/// A future that is polled by hand, and counts how often it is woken.
pub(super) struct Steps<F> {
    future: Pin<Box<F>>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl<F: Future> Steps<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future: Box::pin(future), wakes: Arc::default() }
    }

    /// Moves to another task, which is woken from the next step on.
    pub(super) fn move_on(&mut self) {
        self.wakes = Arc::default();
    }

    /// Continues without steps.
    pub(super) fn into_inner(self) -> Pin<Box<F>> {
        self.future
    }

    /// Polls once.
    pub(super) fn step(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Polls once. It must be done.
    pub(super) fn done(&mut self) -> F::Output {
        match self.step() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it still waits"),
        }
    }

    /// Returns how often it was woken since the last call.
    pub(super) fn wakes(&self) -> usize {
        self.wakes.0.swap(0, Ordering::SeqCst)
    }

    /// Returns whether it was woken since the last call of [`wakes`](Self::wakes).
    pub(super) fn is_woken(&self) -> bool {
        self.wakes.0.load(Ordering::SeqCst) > 0
    }
}
