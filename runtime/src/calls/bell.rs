//! Wakes the task that drives a connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Wakes one task when there is work. While the task runs, ringing only leaves a note.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    is_rung: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Bell {
    /// Says that there is work.
    pub(crate) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            let waker = self.waker().take();
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// The task begins to work: until [`arm`](Self::arm), ringing does not wake it.
    pub(crate) fn disarm(&self) {
        drop(self.waker().take());
        self.clear();
    }

    /// Forgets that it was rung, before the work is looked for.
    pub(crate) fn clear(&self) {
        self.is_rung.swap(false, Ordering::AcqRel);
    }

    /// The task ends its work. Wakes it at once if the bell was rung meanwhile.
    pub(crate) fn arm(&self, cx: &Context<'_>) {
        *self.waker() = Some(cx.waker().clone());
        // Whoever rang before the waker was there did not wake it.
        if self.is_rung.load(Ordering::Acquire) {
            let waker = self.waker().take();
            waker.into_iter().for_each(Waker::wake);
        }
    }

    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
