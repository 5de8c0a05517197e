//! Wakes the task that drives a connection.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Somebody has rung.
const RUNG: u8 = 1;

/// The task works, and looks at the bell when it is done.
const WORKING: u8 = 2;

/// Wakes one task when there is work. While the task works, ringing only leaves a note.
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

    /// The task works: until [`arm`](Self::arm), ringing does not wake it. Forgets that it was rung, before the work is
    /// looked for.
    #[inline]
    pub(crate) fn disarm(&self) {
        self.state.swap(WORKING, Ordering::AcqRel);
    }

    /// The task ends its work. Wakes it at once if the bell was rung meanwhile.
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
