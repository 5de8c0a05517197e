//! Counts frames that come in a row, and decides whether to look again before a wait.

use std::hint;

/// The number of frames in a row after which another is likely to be queued.
const LIKELY: u16 = 16;

/// The fewest frames in a row after which a receiver that finds nothing looks again before it waits.
const STREAM: u16 = 64;

/// How often it looks in all. With the pauses between, this takes 11 µs, about as long as a wait (AMD EPYC, measured).
const LOOKS: u8 = 16;

/// The spins of the pause between two looks, half a microsecond: a look takes the lock that the sender needs.
const SPINS: u8 = 10;

/// The number of frames in a row after which a receiver does without the reactor. When it waits, it registers again:
/// that takes system calls and an allocation. A socket of the default size holds at most 278 small frames, so a receiver
/// that empties it each time, and then waits, stays registered.
const LONG: u16 = 1024;

/// The number of receives in a row that have found a frame at once.
#[derive(Debug)]
pub(super) struct Streak {
    /// At most `LONG`.
    len: u16,
    /// How many looks in a row have found nothing.
    vain: u8,
    /// The number of frames in a row after which further looks are worthwhile.
    worthwhile: u16,
}

impl Streak {
    pub(super) fn new() -> Self {
        Self { len: 0, vain: 0, worthwhile: STREAM }
    }

    /// Notes that a receive has found a frame at once. Returns whether the streak is long from now on.
    #[inline]
    pub(super) fn add(&mut self) -> bool {
        if self.vain > 0 {
            (self.vain, self.worthwhile) = (0, STREAM);
        }
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
        let again = self.len >= self.worthwhile && self.vain < LOOKS;
        if again {
            (0..SPINS).for_each(|_| hint::spin_loop());
        }
        again
    }

    /// Notes that the receiver waits, or has failed.
    #[inline]
    pub(super) fn end(&mut self) {
        if self.vain == LOOKS {
            // The frames come in bursts.
            self.worthwhile = LONG.min(2 * self.worthwhile);
        }
        (self.len, self.vain) = (0, 0);
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
    fn vain_looks_become_rare() {
        let mut streak = Streak::new();
        assert_eq!(looks_after(&mut streak, STREAM - 1), 1);
        assert_eq!(looks_after(&mut streak, STREAM), LOOKS);
        assert_eq!(looks_after(&mut streak, STREAM), 1, "bursts are as long as before");
        assert_eq!(looks_after(&mut streak, 2 * STREAM), LOOKS);
        for _ in 0..10 {
            looks_after(&mut streak, u16::MAX);
        }
        assert_eq!(looks_after(&mut streak, LONG - 1), 1);
        assert_eq!(looks_after(&mut streak, LONG), LOOKS);
    }

    #[test]
    fn a_look_that_finds_a_frame_makes_looks_worthwhile() {
        let mut streak = Streak::new();
        looks_after(&mut streak, STREAM);
        for _ in 0..2 * STREAM {
            streak.add();
        }
        assert!(streak.looks_again());
        streak.add();
        streak.end();
        assert_eq!(looks_after(&mut streak, STREAM), LOOKS);
    }

    #[test]
    fn a_streak_becomes_long_once() {
        let mut streak = Streak::new();
        let long = (1..=2 * LONG).filter(|_| streak.add()).count();
        assert_eq!(long, 1);
        assert!(streak.is_likely());
        streak.end();
        assert!(!streak.is_likely());
    }
}
