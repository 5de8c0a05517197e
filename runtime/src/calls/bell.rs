//! Wakes the task that drives a connection.

use std::sync::PoisonError;
use std::task::{Context, Waker};

use crate::calls::sync::atomic::{AtomicU8, Ordering};
use crate::calls::sync::{Mutex, MutexGuard};

/// The bell was rung.
const RUNG: u8 = 1;

/// The task is working, and checks the bell when it is done.
const WORKING: u8 = 2;

/// Wakes one task when there is work. While the task works, ringing only sets a flag.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    state: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

impl Bell {
    /// Says that there is work.
    #[inline]
    pub(crate) fn ring(&self) {
        if self.state.fetch_or(RUNG, Ordering::AcqRel) == 0 {
            let waker = self.waker().clone();
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Begins work: until [`arm`](Self::arm), ringing does not wake the task. Clears the flag, so call this before
    /// looking for work.
    #[inline]
    pub(crate) fn disarm(&self) {
        self.state.swap(WORKING, Ordering::AcqRel);
    }

    /// Ends work. Wakes the task at once if the bell was rung meanwhile.
    #[inline]
    pub(crate) fn arm(&self, cx: &Context<'_>) {
        let mut waker = self.waker();
        match &mut *waker {
            Some(known) => known.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        drop(waker);
        if self.state.fetch_and(!WORKING, Ordering::AcqRel) & RUNG != 0 {
            cx.waker().wake_by_ref();
        }
    }

    #[inline]
    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
