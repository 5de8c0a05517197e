//! What a receiver can receive though no event comes for it.

use std::task::{Context, Poll, ready};

use ::tokio::task::coop::poll_proceed;

/// What no event comes for: what a receiver read before the reactor reported it, as before the registration, and
/// what may be queued since an event that was forgotten.
#[derive(Debug)]
pub(super) struct Unread {
    is_read: bool,
    is_forgotten: bool,
}

impl Unread {
    pub(super) fn new(is_read: bool) -> Self {
        Self { is_read, is_forgotten: false }
    }

    /// Sets whether something was read and not received.
    #[inline]
    pub(super) fn set(&mut self, is_read: bool) {
        self.is_read = is_read;
    }

    /// Notes that an event was forgotten: until nothing is found, there may be more.
    #[inline]
    pub(super) fn forget_event(&mut self) {
        self.is_forgotten = true;
    }

    /// Notes that nothing is queued: an event comes for whatever comes next.
    #[inline]
    pub(super) fn found_nothing(&mut self) {
        self.is_forgotten = false;
    }

    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.is_read || self.is_forgotten
    }

    /// Returns whether to receive from there. Counts against the task's budget.
    #[inline]
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.is_there() {
            ready!(poll_proceed(cx)).made_progress();
        }
        Poll::Ready(self.is_there())
    }
}
