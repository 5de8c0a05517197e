//! Decides whether the task of a connection polls the reactor while it waits for the peer.

use std::task::Context;
use std::time::{Duration, Instant};

use super::turn::Turn;

/// The number of exchanges in a measured run.
const RUN: u32 = 32;

/// The longest mean time of an exchange in a run after which busy polling is tried.
const LONGEST: Duration = Duration::from_micros(100);

/// The number of consecutive turns of the reactor without an event after which the thread may sleep. They take about
/// 50 µs (AMD EPYC, measured), which is longer than it takes to wake the peer.
const TURNS: u8 = 128;

/// The number of exchanges in a pause: the first, and the longest. A pause follows a run that showed no gain, and each
/// is twice as long as the last.
const PAUSES: (u32, u32) = (8 * RUN, 256 * RUN);

/// The number of runs with busy polling after which one without it is measured again.
const RECHECK: u32 = 512;

/// Decides whether the task of a connection polls the reactor while it waits for the peer, so that its thread does not
/// sleep.
///
/// Waking a sleeping thread takes more CPU time than the rest of a call. If the peer answers soon, it is cheaper to
/// stay awake. Other tasks run between two turns of the reactor.
///
/// Whether there is a gain is measured: with busy polling, a call must take at most half as long as without it. If both
/// sides share a thread, for example, no thread is woken, and there is no gain.
#[derive(Debug)]
pub(super) struct BusyPoll {
    state: State,
    /// The number of exchanges left in this state, at least 1.
    left: u32,
    /// The number of exchanges in the next pause.
    pause: u32,
    /// The number of calls so far.
    calls: u64,
    /// The number of turns since the last event.
    turns: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No run is measured.
    Paused,
    /// A run without busy polling is measured.
    Idle(Start),
    /// A run with busy polling is measured, after a number of others.
    Busy { start: Start, runs: u32, idle: Run },
}

/// The start of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    time: Instant,
    calls: u64,
}

/// A measured run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    time: Duration,
    calls: u64,
}

impl Default for BusyPoll {
    fn default() -> Self {
        Self { state: State::Paused, left: RUN, pause: PAUSES.0, calls: 0, turns: 0 }
    }
}

impl BusyPoll {
    /// Returns whether the task polls the reactor while it waits.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        matches!(self.state, State::Busy { .. })
    }

    /// Makes `turn` wake the task after the reactor has run, if it shall poll.
    #[inline]
    pub(super) fn poll_again(&mut self, cx: &Context<'_>, turn: &Turn) {
        if self.is_on() && self.turns < TURNS && turn.begin(cx) {
            self.turns += 1;
        }
    }

    /// Notes that the peer has sent something.
    #[inline]
    pub(super) fn received(&mut self) {
        self.turns = 0;
    }

    /// Notes the number of calls so far. Calls since the last time are an exchange.
    #[inline]
    pub(super) fn count(&mut self, calls: u64) {
        self.count_at(calls, Instant::now);
    }

    #[inline]
    fn count_at(&mut self, calls: u64, now: impl FnOnce() -> Instant) {
        if calls == self.calls {
            return;
        }
        (self.calls, self.turns) = (calls, 0);
        self.left -= 1;
        if self.left == 0 {
            self.next(Start { time: now(), calls });
        }
    }

    /// Enters the next state.
    #[cold]
    fn next(&mut self, now: Start) {
        self.left = RUN;
        self.state = match self.state {
            State::Paused => State::Idle(now),
            State::Idle(start) if start.until(now).time <= LONGEST * RUN => {
                State::Busy { start: now, runs: 0, idle: start.until(now) }
            }
            State::Busy { start, runs, idle } if start.until(now).is_gain(idle) => {
                self.pause = PAUSES.0;
                match runs + 1 {
                    RECHECK => State::Idle(now),
                    runs => State::Busy { start: now, runs, idle },
                }
            }
            State::Idle(_) | State::Busy { .. } => {
                self.left = self.pause;
                self.pause = PAUSES.1.min(2 * self.pause);
                State::Paused
            }
        };
    }
}

impl Start {
    fn until(self, end: Self) -> Run {
        Run { time: end.time - self.time, calls: end.calls - self.calls }
    }
}

impl Run {
    /// Returns whether a call took at most half as long as one of `idle`.
    fn is_gain(self, idle: Self) -> bool {
        2 * self.time.as_nanos() * u128::from(idle.calls)
            <= idle.time.as_nanos() * u128::from(self.calls)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Counts exchanges of `calls` calls, until the state changes or `most` is reached. Each takes `idle` without busy
    /// polling, and `busy` with it, in microseconds. Returns the number of exchanges.
    fn exchange(
        poll: &mut BusyPoll,
        clock: &mut Instant,
        [idle, busy]: [u64; 2],
        most: u32,
    ) -> u32 {
        let was_on = poll.is_on();
        for done in 0..most {
            if poll.is_on() != was_on {
                return done;
            }
            *clock += Duration::from_micros(if was_on { busy } else { idle });
            poll.count_at(poll.calls + 1, || *clock);
        }
        most
    }

    #[test]
    fn busy_polling_begins_if_exchanges_are_short_and_ends_if_it_gains_little() {
        let (mut poll, mut clock) = (BusyPoll::default(), Instant::now());
        let gain = [50, 25];
        assert_eq!(exchange(&mut poll, &mut clock, gain, u32::MAX), 2 * RUN);
        assert!(poll.is_on());
        // It is measured anew from time to time.
        assert_eq!(exchange(&mut poll, &mut clock, gain, u32::MAX), RECHECK * RUN);
        assert_eq!(exchange(&mut poll, &mut clock, gain, u32::MAX), RUN);
        assert_eq!(exchange(&mut poll, &mut clock, [50, 26], u32::MAX), RUN);
        // Trials become rare.
        for pause in [8, 16, 32, 64, 128, 256, 256] {
            let run_and_pause = (pause + 1) * RUN;
            assert_eq!(exchange(&mut poll, &mut clock, [5, 5], u32::MAX), run_and_pause);
            assert_eq!(exchange(&mut poll, &mut clock, [5, 5], u32::MAX), RUN);
        }
    }

    #[test]
    fn busy_polling_never_begins_if_exchanges_are_long() {
        let (mut poll, mut clock) = (BusyPoll::default(), Instant::now());
        assert_eq!(exchange(&mut poll, &mut clock, [101, 1], 100_000), 100_000);
    }

    #[test]
    fn the_time_of_a_call_decides() {
        let (mut poll, mut clock) = (BusyPoll::default(), Instant::now());
        assert_eq!(exchange(&mut poll, &mut clock, [100, 0], u32::MAX), 2 * RUN);
        // Exchanges of more calls may take longer.
        for _ in 0..RUN {
            clock += Duration::from_micros(100);
            poll.count_at(poll.calls + 2, || clock);
        }
        assert!(poll.is_on());
        for _ in 0..RUN {
            clock += Duration::from_micros(101);
            poll.count_at(poll.calls + 2, || clock);
        }
        assert!(!poll.is_on());
    }

    #[test]
    fn the_reactor_is_polled_a_limited_number_of_times() {
        let (mut poll, mut clock) = (BusyPoll::default(), Instant::now());
        let cx = Context::from_waker(Waker::noop());
        let turns = |poll: &mut BusyPoll| {
            // The runtime is done with each turn.
            let polled = (0..u32::MAX).take_while(|_| {
                let turn = Turn::new();
                let was = poll.turns;
                poll.poll_again(&cx, &turn);
                poll.turns > was
            });
            polled.count()
        };
        assert_eq!(turns(&mut poll), 0, "it is off");
        exchange(&mut poll, &mut clock, [50, 25], u32::MAX);
        assert_eq!(turns(&mut poll), usize::from(TURNS));
        assert_eq!(turns(&mut poll), 0);
        poll.received();
        assert_eq!(turns(&mut poll), usize::from(TURNS));
        poll.count_at(poll.calls + 1, || clock);
        assert_eq!(turns(&mut poll), usize::from(TURNS));
    }
}
