//! Counts what is in use, such as open descriptors, so that it can be limited.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A count of what is in use: the sum of the [`Permit`]s. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct InUse(Arc<AtomicUsize>);

/// An amount that counts as in use until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    counted: InUse,
    amount: usize,
}

impl InUse {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts `amount` as in use if `fits` accepts the present count. Otherwise returns that count.
    pub(crate) fn take(
        &self,
        amount: usize,
        fits: impl Fn(usize) -> bool,
    ) -> Result<Permit, usize> {
        // Acquire pairs with the Release below: the dropped permits that make room belong to closed descriptors.
        self.0.fetch_update(Ordering::Acquire, Ordering::Relaxed, |in_use| {
            fits(in_use).then(|| in_use + amount)
        })?;
        Ok(Permit { counted: self.clone(), amount })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.counted.0.fetch_sub(self.amount, Ordering::Release);
    }
}
