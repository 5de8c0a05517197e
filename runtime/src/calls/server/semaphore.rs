//! Bounds how many connections are served at the same time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts the connections that are served.
#[derive(Debug, Default)]
pub(super) struct Semaphore {
    permits: Mutex<usize>,
    returned: Condvar,
}

/// The permit to serve a connection. Dropping it returns it.
#[derive(Debug)]
pub(super) struct Permit<'s>(&'s Semaphore);

impl Semaphore {
    /// Returns a permit if fewer than `max` are in use. Otherwise waits for one, at most for `timeout`.
    pub(super) fn acquire(&self, max: usize, timeout: Duration) -> Option<Permit<'_>> {
        let is_full = |permits: &mut usize| *permits >= max;
        let waited = self.returned.wait_timeout_while(self.lock(), timeout, is_full);
        let (mut permits, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if is_full(&mut permits) {
            return None;
        }
        *permits += 1;
        Some(Permit(self))
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.permits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.returned.notify_one();
    }
}
