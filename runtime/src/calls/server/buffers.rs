//! Memory of requests, which is used again.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The largest buffer that is kept, in bytes.
const MAX_LEN: usize = 4096;

/// The most bytes that are kept.
const MAX_TOTAL: usize = 64 * 1024;

/// The memory of short requests that were handled.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    buffers: Vec<Vec<u8>>,
    total: usize,
}

impl Buffers {
    /// Returns a buffer that was kept, or one without memory.
    #[inline]
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut kept = self.lock();
        let buffer = kept.buffers.pop().unwrap_or_default();
        kept.total -= buffer.capacity();
        buffer
    }

    /// Keeps a buffer, unless it is too large or there are enough.
    #[inline]
    pub(crate) fn keep(&self, buffer: Vec<u8>) {
        let len = buffer.capacity();
        let mut kept = self.lock();
        if (1..=MAX_LEN).contains(&len) && kept.total + len <= MAX_TOTAL {
            kept.total += len;
            kept.buffers.push(buffer);
        }
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
