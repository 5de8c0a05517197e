//! The context of a handler: information about its call.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Instant;

use super::caller::Caller;
use crate::calls::deadline::has_passed;
use crate::calls::status::CREDIT;
use crate::calls::wake::wake_all;
use crate::calls::watchers::Watchers;
use crate::peer::Peer;

/// A running call.
#[derive(Debug)]
pub(crate) struct Running {
    caller: Arc<Caller>,
    deadline: Option<Instant>,
    is_stream: bool,
    is_cancelled: AtomicBool,
    /// Which of the handler and the sender of its items have ended.
    ended: AtomicU8,
    /// The futures that wait for the cancellation of the call.
    watchers: Watchers,
    /// Whether a waker may be stored.
    has_wakers: AtomicBool,
    flow: Mutex<Flow>,
}

/// The handler has ended.
const HANDLER: u8 = 1;

/// The sender of the items was dropped, and the handler decides how they end.
const SENDER: u8 = 2;

#[derive(Debug)]
struct Flow {
    /// How many items may be sent.
    credit: u32,
    /// The waker of the task or thread that waits for credit.
    waker: Option<Waker>,
}

impl Running {
    pub(super) fn new(caller: Arc<Caller>, deadline: Option<Instant>, is_stream: bool) -> Self {
        let flow = Mutex::new(Flow { credit: CREDIT, waker: None });
        let (is_cancelled, has_wakers) = (AtomicBool::new(false), AtomicBool::new(false));
        let (ended, watchers) = (AtomicU8::new(0), Watchers::default());
        Self { caller, deadline, is_stream, is_cancelled, ended, watchers, has_wakers, flow }
    }

    /// Becomes a new call of the same caller, without the atomic operations of another reference to it. The old call
    /// has no wakers.
    #[inline]
    pub(super) fn reuse(&mut self, deadline: Option<Instant>, is_stream: bool) {
        (self.deadline, self.is_stream) = (deadline, is_stream);
        (*self.is_cancelled.get_mut(), *self.ended.get_mut()) = (false, 0);
        self.flow.get_mut().unwrap_or_else(PoisonError::into_inner).credit = CREDIT;
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Returns whether the call is answered with items.
    #[inline]
    pub(crate) fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Returns whether the caller no longer waits for an answer.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.is_cancelled() || has_passed(self.deadline)
    }

    /// Returns whether the caller has cancelled the call, or has disconnected.
    #[inline]
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    /// Returns whether a task or thread may wait for something.
    #[inline]
    pub(super) fn has_wakers(&self) -> bool {
        self.has_wakers.load(Ordering::Relaxed)
    }

    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        let waker = self.flow().waker.take();
        wake_all(waker);
        self.watchers.wake();
    }

    /// Notes that the handler has ended. Returns whether the handler decides how the items end.
    pub(crate) fn end_handler(&self) -> bool {
        self.ended.fetch_or(HANDLER, Ordering::AcqRel) & SENDER != 0
    }

    /// Lets the handler decide how the items end. Returns `false` if the handler has already ended.
    pub(crate) fn leave_to_handler(&self) -> bool {
        self.ended.fetch_or(SENDER, Ordering::AcqRel) & HANDLER == 0
    }

    /// Returns the futures that [`cancel`](Self::cancel) wakes.
    #[cfg(feature = "tokio")]
    pub(crate) fn watchers(&self) -> &Watchers {
        // A future that is never dropped leaves its waker there.
        self.has_wakers.store(true, Ordering::Relaxed);
        &self.watchers
    }

    /// Allows more items.
    pub(crate) fn add_credit(&self, more: u32) {
        let mut flow = self.flow();
        flow.credit = flow.credit.saturating_add(more);
        let waker = flow.waker.take();
        drop(flow);
        wake_all(waker);
    }

    /// Takes the credit for one item, or stores the waker. Returns `false` if the call is over.
    pub(crate) fn poll_credit(&self, waker: &Waker) -> Poll<bool> {
        let mut flow = self.flow();
        if self.is_over() {
            return Poll::Ready(false);
        }
        if let Some(left) = flow.credit.checked_sub(1) {
            flow.credit = left;
            return Poll::Ready(true);
        }
        self.wait(flow, waker)
    }

    /// Returns whether the sender of the items waits for credit.
    pub(crate) fn is_waiting(&self) -> bool {
        let flow = self.flow();
        flow.credit == 0 && flow.waker.is_some()
    }

    /// Waits until the call is over, for the sender of its items.
    pub(crate) fn poll_over(&self, waker: &Waker) -> Poll<()> {
        let flow = self.flow();
        if self.is_over() {
            return Poll::Ready(());
        }
        self.wait(flow, waker)
    }

    /// Stores the waker that credit or the end of the call wakes.
    fn wait<T>(&self, mut flow: MutexGuard<'_, Flow>, waker: &Waker) -> Poll<T> {
        self.has_wakers.store(true, Ordering::Relaxed);
        let replaced = flow.waker.replace(waker.clone());
        // The replaced waker may own this call.
        drop(flow);
        drop(replaced);
        Poll::Pending
    }

    #[inline]
    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Information about a call, for its handler: the caller, the deadline, whether the caller still waits, and whether
/// the server stops.
#[derive(Clone)]
pub struct Context {
    pub(super) running: Arc<Running>,
    pub(super) request: Request,
}

/// The called variant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(super) name: &'static str,
    pub(super) tag: u32,
    pub(super) len: usize,
}

impl Context {
    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// Returns the name of the call's variant, for logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.request.name
    }

    /// Returns the tag of the call's variant.
    #[must_use]
    pub fn tag(&self) -> u32 {
        self.request.tag
    }

    /// Returns the length of the received request in bytes: its frame, and the 14 bytes of the call's head, except for
    /// calls without an answer.
    #[must_use]
    pub fn frame_len(&self) -> usize {
        self.request.len
    }

    /// Returns the caller, `None` over vsock.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.running.caller.peer.as_deref()
    }

    /// Returns the deadline, `None` if the call has none, or one more than 49 days away.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.running.deadline()
    }

    /// Returns whether the caller no longer waits for the answer: it has cancelled the call or has disconnected, or the
    /// deadline has passed. A handler that takes long should check this from time to time. Once this returns `true`,
    /// the handler's answer is not sent.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.running.is_over()
    }

    /// Returns whether the server stops: a [`Stopper`](super::Stopper) waits for the running calls to finish. A handler
    /// that ends only with its caller, such as one that watches for changes, should check this, too, and end its items:
    /// otherwise it keeps the server until the deadline.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.running.caller.is_stopping()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("name", &self.name())
            .field("frame_len", &self.frame_len())
            .field("peer", &self.peer())
            .field("deadline", &self.deadline())
            .field("is_cancelled", &self.is_cancelled())
            .field("is_stopping", &self.is_stopping())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::Wake;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// A waker that owns the connection of a call: dropping it ends the call.
    struct Owner(Arc<Running>);

    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Owner {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }

    #[test]
    fn a_waker_that_is_replaced_may_own_the_call() {
        let (done, has_done) = mpsc::channel();
        thread::spawn(move || {
            let poll_credit =
                |running: &Running, waker: &Waker| running.poll_credit(waker).map(drop);
            let poll_over = |running: &Running, waker: &Waker| running.poll_over(waker);
            for poll in [poll_credit as fn(&Running, &Waker) -> Poll<()>, poll_over] {
                let running = Arc::new(Running::new(Arc::default(), None, true));
                while running.poll_credit(Waker::noop()).is_ready() {}
                let waker = Waker::from(Arc::new(Owner(Arc::clone(&running))));
                assert!(poll(&running, &waker).is_pending());
                drop(waker);
                assert!(!running.is_cancelled());
                assert!(poll(&running, Waker::noop()).is_pending());
                assert!(running.is_cancelled());
            }
            done.send(()).ok();
        });
        assert!(has_done.recv_timeout(Duration::from_secs(60)).is_ok(), "it waits for itself");
    }
}
