//! Decides whether a receiver looks for a frame before it asks the reactor.

use std::task::{Context, Poll, ready};

use ::tokio::task::coop::poll_proceed;

use super::streak::Streak;

/// Tracks frames for which no event comes: those that the receiver read before the reactor reported them, as before the
/// registration, and those that may be queued since a forgotten event. Also counts frames in a row: after several,
/// another is likely to be queued.
#[derive(Debug)]
pub(super) struct Unread {
    is_read: bool,
    is_forgotten: bool,
    pub(super) streak: Streak,
}

impl Unread {
    pub(super) fn new(is_read: bool) -> Self {
        Self { is_read, is_forgotten: false, streak: Streak::default() }
    }

    /// Sets whether anything was read but not received.
    #[inline]
    pub(super) fn set(&mut self, is_read: bool) {
        self.is_read = is_read;
    }

    /// Notes that an event was forgotten: frames may be queued until a receive finds nothing.
    #[inline]
    pub(super) fn forget_event(&mut self) {
        self.is_forgotten = true;
    }

    /// Notes that nothing is queued, so that an event reports the next frame.
    #[inline]
    pub(super) fn found_nothing(&mut self) {
        self.is_forgotten = false;
        self.streak.end();
    }

    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.is_read || self.is_forgotten
    }

    /// Returns whether to look for a frame without asking the reactor, because one is there or is likely. A look counts
    /// against the task's budget.
    #[inline]
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let tries = self.is_there() || self.streak.is_likely();
        if tries {
            ready!(poll_proceed(cx)).made_progress();
        }
        Poll::Ready(tries)
    }
}
