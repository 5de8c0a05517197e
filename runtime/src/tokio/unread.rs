//! What a receiver has read before the reactor reported it.

use std::task::{Context, Poll, ready};

use ::tokio::task::coop::poll_proceed;

/// Whether a receiver holds what it read before the reactor reported it, as before the registration: no event
/// comes for that.
#[derive(Debug)]
pub(super) struct Unread(bool);

impl Unread {
    pub(super) fn new(is_there: bool) -> Self {
        Self(is_there)
    }

    pub(super) fn set(&mut self, is_there: bool) {
        self.0 = is_there;
    }

    /// Returns whether to receive from there. Counts against the task's budget.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.0 {
            ready!(poll_proceed(cx)).made_progress();
        }
        Poll::Ready(self.0)
    }
}
