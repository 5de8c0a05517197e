//! Counts open descriptors, and limits their number.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of open descriptors that have a [`Permit`] of this count. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenCount(Arc<AtomicUsize>);

/// Counts one descriptor until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(OpenCount);

impl OpenCount {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts one more descriptor, or returns `None` if there are `max` or more.
    pub(crate) fn take(&self, max: usize) -> Option<Permit> {
        // Acquire pairs with the Release below: the descriptor whose place this one takes is closed.
        let taken = self.0.fetch_update(Ordering::Acquire, Ordering::Relaxed, |open| {
            (open < max).then_some(open + 1)
        });
        taken.is_ok().then(|| Permit(self.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Release);
    }
}
