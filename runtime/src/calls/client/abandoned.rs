//! Counts the bytes of cancelled requests that are still queued.

use crate::calls::queue::Queued;
use crate::calls::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The bytes of cancelled requests that are still queued.
#[derive(Debug)]
pub(super) struct Abandoned {
    /// How many bytes were counted since all of them were last sent.
    bytes: AtomicUsize,
    /// The count of sent bytes at which none of them is queued any more.
    end: AtomicU64,
}

impl Abandoned {
    pub(super) fn new() -> Self {
        Self { bytes: AtomicUsize::new(0), end: AtomicU64::new(0) }
    }

    /// Counts the request of a cancelled call.
    pub(super) fn add(&self, Queued { room, end, .. }: Queued) {
        self.end.fetch_max(end, Ordering::Relaxed);
        self.bytes.fetch_add(room, Ordering::Relaxed);
    }

    /// Returns an upper bound of the bytes. `unsent` returns how many bytes are queued in all.
    #[inline]
    pub(super) fn at_most(&self, unsent: impl FnOnce() -> usize) -> usize {
        match self.bytes.load(Ordering::Relaxed) {
            0 => 0,
            bytes => bytes.min(unsent()),
        }
    }

    /// Forgets the requests if all of them are among the first `sent` bytes.
    #[inline]
    pub(super) fn note_sent(&self, sent: u64) {
        if sent >= self.end.load(Ordering::Relaxed) {
            self.bytes.store(0, Ordering::Relaxed);
        }
    }
}
