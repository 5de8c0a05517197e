//! Tracks frames that a receiver can receive, but for which no event comes.

use std::hint;
use std::task::{Context, Poll, ready};

use ::tokio::task::coop::poll_proceed;

/// The number of frames in a row, received without waiting, after which another is likely to be queued.
const LIKELY: u16 = 16;

/// The number of frames in a row after which a receiver that finds nothing looks again before it waits.
const STREAM: u16 = 128;

/// How often in a row it finds nothing before it waits. With the pauses between, this takes 5 µs (AMD EPYC, measured),
/// which is less than a wait.
const LOOKS: u8 = 8;

/// The number of frames in a row after which a receiver does without the reactor. A registration takes an allocation.
const LONG: u16 = 1024;

/// The spins of the pause between two looks, half a microsecond: a look takes the lock that the sender needs.
const SPINS: u8 = 10;

/// Tracks frames for which no event comes: those that the receiver read before the reactor reported them, as before the
/// registration, and those that may be queued since a forgotten event.
#[derive(Debug)]
pub(super) struct Unread {
    is_read: bool,
    is_forgotten: bool,
    /// How many frames in a row were received without waiting, at most `LONG`.
    streak: u16,
    /// How many looks in a row have found nothing.
    looks: u8,
    /// How many messages in a row were sent without a receive, at most `LONG`.
    sent: u16,
}

impl Unread {
    pub(super) fn new(is_read: bool) -> Self {
        Self { is_read, is_forgotten: false, streak: 0, looks: 0, sent: 0 }
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

    /// Notes that a frame was received without waiting. Returns whether a long streak begins.
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

    /// Notes that the endpoint was used to send. Returns whether it has only sent for a long time.
    #[inline]
    pub(super) fn note_send(&mut self) -> bool {
        self.sent = LONG.min(self.sent + 1);
        self.sent == LONG
    }

    /// Notes that nothing is queued, so that an event reports the next frame.
    #[inline]
    pub(super) fn found_nothing(&mut self) {
        self.is_forgotten = false;
        self.end_streak();
    }

    /// Notes that the receiver waited, or failed.
    #[inline]
    pub(super) fn end_streak(&mut self) {
        (self.streak, self.looks) = (0, 0);
    }

    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.is_read || self.is_forgotten
    }

    /// Returns whether to receive without asking the reactor, because a frame is there or is likely. Counts against the
    /// task's budget.
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        self.sent = 0;
        let tries = self.is_there() || self.streak >= LIKELY;
        if tries {
            ready!(poll_proceed(cx)).made_progress();
        }
        Poll::Ready(tries)
    }
}
