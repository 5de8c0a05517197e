//! Bounds how many connections are served at the same time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The connections that are served.
#[derive(Debug, Default)]
pub(super) struct Places {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// A connection that is served, until this is dropped.
#[derive(Debug)]
pub(super) struct Place<'p>(&'p Places);

impl Places {
    /// Takes one of `max` places. Waits for it, at most for `timeout`.
    pub(super) fn take(&self, max: usize, timeout: Duration) -> Option<Place<'_>> {
        let waited = self.freed.wait_timeout_while(self.lock(), timeout, |taken| *taken >= max);
        let (mut taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let is_free = *taken < max;
        *taken += usize::from(is_free);
        is_free.then(|| Place(self))
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.freed.notify_one();
    }
}
