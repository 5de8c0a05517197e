//! Decides whether the task of a connection polls the reactor while it waits for the peer.

use std::task::Context;
use std::time::{Duration, Instant};

use super::turn::Turn;

/// The number of exchanges in a measured run.
const RUN: u32 = 32;

/// The longest mean time of an exchange in a run after which busy polling is tried.
const LONGEST: Duration = Duration::from_micros(100);

/// The number of consecutive turns of the reactor without an event after which the thread may sleep. They take about
/// 40 µs (AMD EPYC, measured), which is longer than it takes to wake the peer.
const TURNS: u8 = 64;

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
    turn: Turn,
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

impl BusyPoll {
    pub(super) fn new() -> Self {
        let (state, left, pause) = (State::Paused, RUN, PAUSES.0);
        Self { state, left, pause, calls: 0, turns: 0, turn: Turn::new() }
    }

    /// Returns whether the task polls the reactor while it waits.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        matches!(self.state, State::Busy { .. })
    }

    /// Makes the task wake after a turn of the reactor, if it shall poll.
    #[inline]
    pub(super) fn poll_again(&mut self, cx: &Context<'_>) {
        if self.is_on() && self.turns < TURNS && self.turn.begin(cx) {
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
