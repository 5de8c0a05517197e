//! Calls that were read, but may not begin yet.

use std::collections::VecDeque;

use crate::calls::{Call, Protocol};

/// The number of bytes of requests after which no more are read ahead.
const MAX_BYTES: usize = 1024 * 1024;

/// Calls that were read ahead, in order. Reading ahead finds cancellations, credit and the end behind them.
pub(super) struct Held<P> {
    calls: VecDeque<Call<P>>,
    bytes: usize,
}

impl<P: Protocol> Held<P> {
    pub(super) fn new() -> Self {
        Self { calls: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn push(&mut self, call: Call<P>) {
        self.bytes += call.frame_len();
        self.calls.push_back(call);
    }

    pub(super) fn pop(&mut self) -> Option<Call<P>> {
        let call = self.calls.pop_front()?;
        self.bytes -= call.frame_len();
        Some(call)
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Returns whether enough calls were read ahead: `max`, or `MAX_BYTES` bytes.
    pub(super) fn is_full(&self, max: usize) -> bool {
        self.calls.len() >= max || self.bytes > MAX_BYTES
    }
}
