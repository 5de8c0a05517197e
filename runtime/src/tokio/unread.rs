//! Tracks frames that a receiver can receive, but for which no event comes.

use std::task::{Context, Poll, ready};

use ::tokio::task::coop::poll_proceed;

/// The number of frames in a row, received without waiting, after which another is likely to be queued.
const LIKELY: u8 = 16;

/// Tracks frames for which no event comes: those that the receiver read before the reactor reported them, as before the
/// registration, and those that may be queued since a forgotten event.
#[derive(Debug)]
pub(super) struct Unread {
    is_read: bool,
    is_forgotten: bool,
    /// How many frames in a row were received without waiting, at most `LIKELY`.
    streak: u8,
}

impl Unread {
    pub(super) fn new(is_read: bool) -> Self {
        Self { is_read, is_forgotten: false, streak: 0 }
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

    /// Notes that a frame was received without waiting.
    #[inline]
    pub(super) fn add_to_streak(&mut self) {
        self.streak = LIKELY.min(self.streak + 1);
    }

    /// Notes that nothing is queued, so that an event reports the next frame.
    #[inline]
    pub(super) fn found_nothing(&mut self) {
        self.is_forgotten = false;
        self.streak = 0;
    }

    /// Notes that the receiver waited, or failed.
    #[inline]
    pub(super) fn end_streak(&mut self) {
        self.streak = 0;
    }

    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.is_read || self.is_forgotten
    }

    /// Returns whether to receive without asking the reactor, because a frame is there or is likely. Counts against the
    /// task's budget.
    #[inline]
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let tries = self.is_there() || self.streak == LIKELY;
        if tries {
            ready!(poll_proceed(cx)).made_progress();
        }
        Poll::Ready(tries)
    }
}
