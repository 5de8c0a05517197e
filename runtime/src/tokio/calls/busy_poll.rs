//! Decides whether the task of a connection polls the reactor while it waits for the peer.

use std::task::Context;
use std::time::{Duration, Instant};

use super::turn::Turn;

/// The number of exchanges in a measured run.
const RUN: u32 = 32;

/// The longest mean time of an exchange in a run after which busy polling is tried.
const MAX_EXCHANGE: Duration = Duration::from_micros(100);

/// The number of consecutive turns of the reactor without a new call after which the thread may sleep. They take about
/// 50 µs (AMD EPYC, measured), which is longer than it takes to wake the peer.
const MAX_TURNS: u8 = 128;

/// The number of exchanges in the first pause. A pause follows a run that showed no gain, and each is twice as long as
/// the last.
const FIRST_PAUSE: u32 = 8 * RUN;

/// The number of exchanges in the longest pause.
const MAX_PAUSE: u32 = 256 * RUN;

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
    /// The last count of calls.
    calls: u64,
    /// The number of turns since the last call. Other parts from the peer do not count: their time is not measured.
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
        Self { state: State::Paused, left: RUN, pause: FIRST_PAUSE, calls: 0, turns: 0 }
    }
}

impl BusyPoll {
    /// Creates one that is on.
    #[cfg(test)]
    pub(super) fn on() -> Self {
        let start = Start { time: Instant::now(), calls: 0 };
        let idle = Run { time: MAX_EXCHANGE, calls: 1 };
        Self { state: State::Busy { start, runs: 0, idle }, ..Self::default() }
    }

    /// Returns whether the task polls the reactor while it waits.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        matches!(self.state, State::Busy { .. })
    }

    /// Polls the reactor once more if busy polling is on, and if the task `is_waiting` for the peer: `turn` then wakes
    /// the task.
    #[inline]
    pub(super) fn poll_again(
        &mut self,
        cx: &Context<'_>,
        turn: &Turn,
        is_waiting: impl FnOnce() -> bool,
    ) {
        if self.is_on() && self.turns < MAX_TURNS && is_waiting() && turn.begin(cx) {
            self.turns += 1;
        }
    }

    /// Notes the number of calls so far: those that a client has begun, or the parts that a server has received. New
    /// calls since the last count are one exchange.
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
            State::Idle(start) if start.until(now).time <= MAX_EXCHANGE * RUN => {
                State::Busy { start: now, runs: 0, idle: start.until(now) }
            }
            State::Busy { start, runs, idle } if start.until(now).is_gain(idle) => {
                self.pause = FIRST_PAUSE;
                match runs + 1 {
                    RECHECK => State::Idle(now),
                    runs => State::Busy { start: now, runs, idle },
                }
            }
            State::Idle(_) | State::Busy { .. } => {
                self.left = self.pause;
                self.pause = MAX_PAUSE.min(2 * self.pause);
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

    /// More exchanges than any state lasts.
    const MANY: u32 = 100_000;

    /// A connection, at a simulated time.
    struct Simulation {
        poll: BusyPoll,
        now: Instant,
    }

    impl Simulation {
        fn new() -> Self {
            Self { poll: BusyPoll::default(), now: Instant::now() }
        }

        /// Makes an exchange of some calls, which takes so many microseconds.
        fn exchange(&mut self, calls: u64, micros: u64) {
            self.now += Duration::from_micros(micros);
            self.poll.count_at(self.poll.calls + calls, || self.now);
        }

        /// Makes exchanges of one call until busy polling begins or ends, at most `MANY`. Each takes `idle`
        /// microseconds without busy polling, and `busy` with it. Returns how many were made.
        fn until_switch(&mut self, idle: u64, busy: u64) -> u32 {
            let was_on = self.poll.is_on();
            for made in 0..MANY {
                if self.poll.is_on() != was_on {
                    return made;
                }
                self.exchange(1, if was_on { busy } else { idle });
            }
            MANY
        }
    }

    #[test]
    fn busy_polling_begins_if_exchanges_are_short_and_ends_if_it_gains_little() {
        let mut connection = Simulation::new();
        assert_eq!(connection.until_switch(50, 25), 2 * RUN);
        assert!(connection.poll.is_on());
        // The time without it is measured again.
        assert_eq!(connection.until_switch(50, 25), RECHECK * RUN);
        assert_eq!(connection.until_switch(50, 25), RUN);
        assert_eq!(connection.until_switch(50, 26), RUN);
        // Trials become rare.
        for pause in [8, 16, 32, 64, 128, 256, 256] {
            assert_eq!(connection.until_switch(5, 5), (pause + 1) * RUN);
            assert_eq!(connection.until_switch(5, 5), RUN);
        }
        // A gain makes them frequent again.
        assert_eq!(connection.until_switch(5, 2), (256 + 1) * RUN);
        (0..RUN).for_each(|_| connection.exchange(1, 2));
        assert_eq!(connection.until_switch(5, 5), RUN);
        assert_eq!(connection.until_switch(5, 5), (8 + 1) * RUN);
    }

    #[test]
    fn busy_polling_never_begins_if_exchanges_are_long() {
        assert_eq!(Simulation::new().until_switch(101, 1), MANY);
    }

    #[test]
    fn the_time_of_a_call_decides() {
        let mut connection = Simulation::new();
        assert_eq!(connection.until_switch(100, 0), 2 * RUN);
        // Exchanges of more calls may take longer.
        (0..RUN).for_each(|_| connection.exchange(2, 100));
        assert!(connection.poll.is_on());
        (0..RUN).for_each(|_| connection.exchange(2, 101));
        assert!(!connection.poll.is_on());
    }

    #[test]
    fn the_reactor_is_polled_a_limited_number_of_times() {
        let (mut connection, turn) = (Simulation::new(), Turn::new());
        // Without a runtime, each turn ends at once.
        let turns = |poll: &mut BusyPoll, is_waiting: bool| {
            let before = poll.turns;
            let cx = Context::from_waker(Waker::noop());
            (0..=MAX_TURNS).for_each(|_| poll.poll_again(&cx, &turn, || is_waiting));
            poll.turns - before
        };
        assert_eq!(turns(&mut connection.poll, true), 0, "it is off");
        connection.until_switch(50, 25);
        assert_eq!(turns(&mut connection.poll, false), 0);
        assert_eq!(turns(&mut connection.poll, true), MAX_TURNS);
        assert_eq!(turns(&mut connection.poll, true), 0);
        connection.exchange(0, 25);
        assert_eq!(turns(&mut connection.poll, true), 0, "no call has begun");
        connection.exchange(1, 25);
        assert_eq!(turns(&mut connection.poll, true), MAX_TURNS);
    }
}
