//! Counts frames that come in a row, and decides whether to look again before a wait.

use std::hint;

/// The number of frames in a row after which another is likely to be queued.
const LIKELY: u16 = 16;

/// The number of frames in a row after which a receiver that finds nothing looks again before it waits.
const STREAM: u16 = 64;

/// How often it looks in all. With the pauses between, this takes 7 µs, which is less than a wait (AMD EPYC, measured).
const LOOKS: u8 = 16;

/// The spins of the pause between two looks: a look takes the lock that the sender needs.
const SPINS: u8 = 4;

/// The number of frames in a row after which a receiver does without the reactor. When it waits, it registers again:
/// that takes system calls and an allocation. A socket of the default size holds at most 278 small frames, so a receiver
/// that empties it each time, and then waits, stays registered.
const LONG: u16 = 1024;

/// The number of receives in a row that have found a frame at once.
#[derive(Debug, Default)]
pub(super) struct Streak {
    /// At most `LONG`.
    len: u16,
    /// How many looks in a row have found nothing.
    vain: u8,
}

impl Streak {
    /// Notes that a receive has found a frame at once. Returns whether the streak is long from now on.
    #[inline]
    pub(super) fn add(&mut self) -> bool {
        self.vain = 0;
        let is_new = self.len == LONG - 1;
        self.len = LONG.min(self.len + 1);
        is_new
    }

    /// Returns whether another frame is likely to be queued.
    #[inline]
    pub(super) fn is_likely(&self) -> bool {
        self.len >= LIKELY
    }

    /// Notes that a look has found nothing. Pauses, and returns `true`, if another look is likely to find something
    /// sooner than the reactor could report it.
    pub(super) fn looks_again(&mut self) -> bool {
        self.vain += 1;
        let again = self.len >= STREAM && self.vain < LOOKS;
        if again {
            (0..SPINS).for_each(|_| hint::spin_loop());
        }
        again
    }

    /// Notes that the receiver waits, or has failed.
    #[inline]
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Receives a burst, and returns how often the receiver then looks.
    fn looks_after(streak: &mut Streak, burst: u16) -> u8 {
        for _ in 0..burst {
            streak.add();
        }
        let mut looks = 1;
        while streak.looks_again() {
            looks += 1;
        }
        streak.end();
        looks
    }

    #[test]
    fn a_receiver_looks_again_in_a_stream() {
        let mut streak = Streak::default();
        assert_eq!(looks_after(&mut streak, STREAM - 1), 1);
        assert_eq!(looks_after(&mut streak, STREAM), LOOKS);
        assert_eq!(looks_after(&mut streak, 0), 1, "the stream has ended");
    }

    #[test]
    fn a_streak_becomes_long_once() {
        let mut streak = Streak::default();
        let long = (1..=2 * LONG).filter(|_| streak.add()).count();
        assert_eq!(long, 1);
        assert!(streak.is_likely());
        streak.end();
        assert!(!streak.is_likely());
    }
}
