//! The connection of an awaited client, which all of its calls share.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::calls::{Bell, CallError, Core};

/// The most bytes of requests without an answer that are queued before those who send them wait.
const MAX_UNSENT: usize = 1024 * 1024;

/// What the calls of a connection share with its driver.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) core: Arc<Core>,
    pub(super) bell: Bell,
    /// Whether nobody can begin a call any more.
    is_closing: AtomicBool,
    /// Who waits until less is queued.
    has_waiting: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

/// What keeps the driver running: held by clients, calls and items.
#[derive(Debug)]
pub(super) struct Handle(pub(super) Arc<Link>);

impl Link {
    pub(super) fn new(core: Core) -> Self {
        Self {
            core: Arc::new(core),
            bell: Bell::default(),
            is_closing: AtomicBool::new(false),
            has_waiting: AtomicBool::new(false),
            waiting: Mutex::default(),
        }
    }

    /// Ends a call early.
    pub(super) fn cancel(&self, id: u64) {
        if self.core.cancel(id) {
            self.bell.ring();
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// Waits until little is queued.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<Result<(), CallError>> {
        let mut waiting = self.waiting();
        self.core.check_notified()?;
        self.has_waiting.store(true, Ordering::SeqCst);
        if self.core.unsent() <= MAX_UNSENT {
            return Poll::Ready(Ok(()));
        }
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Wakes who waits for room, if there is some or the connection has ended.
    pub(super) fn admit(&self) {
        if !self.has_waiting.load(Ordering::SeqCst) {
            return;
        }
        let mut waiting = self.waiting();
        if !waiting.is_empty()
            && (self.core.unsent() <= MAX_UNSENT || self.core.table().check().is_err())
        {
            let wakers = mem::take(&mut *waiting);
            self.has_waiting.store(false, Ordering::SeqCst);
            drop(waiting);
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.is_closing.store(true, Ordering::Release);
        self.0.bell.ring();
    }
}
