//! Calls that were read, and may not begin yet.

use std::collections::VecDeque;

use crate::calls::{Call, Protocol};

/// The most bytes of requests that are read ahead.
const MAX_BYTES: usize = 1024 * 1024;

/// Calls in order. To be read ahead, so that what is behind them is seen: cancellations, credit, the end.
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

    /// Returns whether no more than these, or than `max`, are read ahead.
    pub(super) fn is_full(&self, max: usize) -> bool {
        self.calls.len() >= max || self.bytes > MAX_BYTES
    }
}
