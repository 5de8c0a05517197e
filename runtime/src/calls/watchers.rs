//! Futures that wait for an event.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::{fmt, mem};

use crate::calls::ids::Ids;
use crate::calls::wake::wake_all;

/// The wakers of futures that wait for the same event. A future that is dropped leaves no waker.
#[derive(Default)]
pub(crate) struct Watchers(Mutex<List>);

#[derive(Default)]
struct List {
    wakers: Ids<Waker>,
    /// The last key that was used.
    last: u64,
}

impl Watchers {
    /// Wakes all, after the event.
    pub(crate) fn wake(&self) {
        let wakers = mem::take(&mut self.lock().wakers);
        wake_all(wakers.into_values());
    }

    /// Starts to wait.
    #[cfg(feature = "tokio")]
    pub(crate) fn watch(&self) -> Watch<'_> {
        Watch { watchers: self, key: None }
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A future that waits.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub(crate) struct Watch<'w> {
    watchers: &'w Watchers,
    key: Option<u64>,
}

#[cfg(feature = "tokio")]
impl Watch<'_> {
    /// Ready if the event `has_happened`. Otherwise stores the waker.
    pub(crate) fn poll(&mut self, waker: &Waker, has_happened: impl Fn() -> bool) -> Poll<()> {
        // Cloned before the lock, and dropped after it, because wakers are foreign code.
        let mut waker = Some(waker.clone());
        let mut list = self.watchers.lock();
        if has_happened() {
            return Poll::Ready(());
        }
        let List { wakers, last } = &mut *list;
        let key = *self.key.get_or_insert_with(|| {
            *last += 1;
            *last
        });
        waker = waker.and_then(|waker| wakers.insert(key, waker));
        drop(list);
        drop(waker);
        Poll::Pending
    }
}

#[cfg(feature = "tokio")]
impl Drop for Watch<'_> {
    fn drop(&mut self) {
        // In a variable, so that the list is unlocked before the waker is dropped.
        let waker = self.key.and_then(|key| self.watchers.lock().wakers.remove(&key));
        drop(waker);
    }
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers").finish_non_exhaustive()
    }
}
