//! Tasks that wait until less is queued.

use std::mem;
use std::sync::PoisonError;
use std::task::{Poll, Waker};

use crate::calls::sync::atomic::{AtomicBool, Ordering, fence};
use crate::calls::sync::{Mutex, MutexGuard};
use crate::calls::wake::wake_all;

/// The tasks that wait for room in a queue.
#[derive(Debug, Default)]
pub(crate) struct Room {
    has_waiting: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Room {
    /// Waits until `is_free`.
    pub(crate) fn poll(&self, waker: &Waker, is_free: impl Fn() -> bool) -> Poll<()> {
        if is_free() {
            return Poll::Ready(());
        }
        let mut waiting = self.waiting();
        self.has_waiting.store(true, Ordering::SeqCst);
        // Either this task sees what another one has sent meanwhile, or the other one sees that this task waits.
        fence(Ordering::SeqCst);
        if is_free() {
            return Poll::Ready(());
        }
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
        Poll::Pending
    }

    /// Wakes the waiting tasks if `is_free`, which must return `true` whenever one of them may continue. Call this
    /// after sending.
    pub(crate) fn admit(&self, is_free: impl Fn() -> bool) {
        fence(Ordering::SeqCst);
        if !self.has_waiting.load(Ordering::SeqCst) || !is_free() {
            return;
        }
        let mut waiting = self.waiting();
        let wakers = mem::take(&mut *waiting);
        self.has_waiting.store(false, Ordering::SeqCst);
        drop(waiting);
        wake_all(wakers);
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
