//! Wakers of threads, for calls that block.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Instant;

use crate::calls::sync::thread::{self, Thread};
#[cfg(datagrammar_loom)]
use crate::calls::sync::thread_local;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Returns the waker of this thread.
pub(crate) fn waker() -> Waker {
    thread_local! {
        static WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current())));
    }
    // While the thread ends, its locals are gone.
    let stored = WAKER.try_with(Waker::clone);
    stored.unwrap_or_else(|_| Waker::from(Arc::new(Unpark(thread::current()))))
}

/// Waits until the thread is woken, or until `deadline`. May also return spuriously.
pub(crate) fn park_until(deadline: Option<Instant>) {
    match deadline {
        None => thread::park(),
        Some(deadline) => {
            thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
        }
    }
}
