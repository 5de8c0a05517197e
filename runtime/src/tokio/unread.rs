//! Decides whether a receiver looks for a frame before it asks the reactor.

use std::hint;
use std::task::{Context, Poll, ready};

use ::tokio::task::coop::poll_proceed;

/// The number of frames in a row after which another is likely to be queued.
const LIKELY: u16 = 16;

/// The number of frames in a row after which a receiver that finds nothing looks again before it waits.
const STREAM: u16 = 128;

/// How often it looks in all. With the pauses between, this takes 5 µs (AMD EPYC, measured), which is less than a wait.
const LOOKS: u8 = 8;

/// The number of frames in a row after which a receiver does without the reactor. When it waits, it registers again:
/// that takes system calls and an allocation.
const LONG: u16 = 1024;

/// The spins of the pause between two looks, half a microsecond: a look takes the lock that the sender needs.
const SPINS: u8 = 10;

/// Tracks frames for which no event comes: those that the receiver read before the reactor reported them, as before the
/// registration, and those that may be queued since a forgotten event. Also counts frames in a row: after several,
/// another is likely to be queued.
#[derive(Debug)]
pub(super) struct Unread {
    is_read: bool,
    is_forgotten: bool,
    /// How many receives in a row have found a frame at once, at most `LONG`.
    streak: u16,
    /// How many looks in a row have found nothing.
    looks: u8,
}

impl Unread {
    pub(super) fn new(is_read: bool) -> Self {
        Self { is_read, is_forgotten: false, streak: 0, looks: 0 }
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

    /// Notes that a receive has found a frame at once. Returns whether the streak is long from now on.
    #[inline]
    pub(super) fn add_to_streak(&mut self) -> bool {
        self.looks = 0;
        let is_new = self.streak == LONG - 1;
        self.streak = LONG.min(self.streak + 1);
        is_new
    }

    /// Notes that a look has found nothing. Pauses, and returns `true`, if another look is likely to find something
    /// sooner than the reactor could report it.
    pub(super) fn looks_again(&mut self) -> bool {
        self.looks += 1;
        let again = self.streak >= STREAM && self.looks < LOOKS;
        if again {
            (0..SPINS).for_each(|_| hint::spin_loop());
        }
        again
    }

    /// Notes that nothing is queued, so that an event reports the next frame.
    #[inline]
    pub(super) fn found_nothing(&mut self) {
        self.is_forgotten = false;
        self.end_streak();
    }

    /// Notes that the receiver waits, or has failed.
    #[inline]
    pub(super) fn end_streak(&mut self) {
        (self.streak, self.looks) = (0, 0);
    }

    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.is_read || self.is_forgotten
    }

    /// Returns whether to look for a frame without asking the reactor, because one is there or is likely. A look counts
    /// against the task's budget.
    #[inline]
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let tries = self.is_there() || self.streak >= LIKELY;
        if tries {
            ready!(poll_proceed(cx)).made_progress();
        }
        Poll::Ready(tries)
    }
}
