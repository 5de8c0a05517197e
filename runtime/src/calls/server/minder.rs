//! Schedules the thread that receives while all others handle calls.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long no thread receives before the minder does, and the pause between its attempts.
const TICK: Duration = Duration::from_millis(10);

/// Tells the minder of a connection when to receive. It rests while another thread receives.
#[derive(Debug, Default)]
pub(super) struct Minder {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is no thread.
    #[default]
    Absent,
    /// The minder receives at every tick, unless another thread does.
    Awake,
    /// Another thread receives, or has just stopped.
    Resting,
    /// The connection has ended.
    Ended,
}

impl Minder {
    /// Wakes the minder, because the last free thread now handles a call. Returns whether the minder's thread must be
    /// started.
    pub(super) fn wake(&self) -> bool {
        let mut state = self.state();
        match *state {
            State::Absent => {
                *state = State::Awake;
                return true;
            }
            State::Resting => {
                *state = State::Awake;
                self.changed.notify_one();
            }
            State::Awake | State::Ended => {}
        }
        false
    }

    /// Notes that its thread could not be started.
    pub(super) fn not_started(&self) {
        self.change(State::Absent);
    }

    /// Ends the minder with its connection.
    pub(super) fn end(&self) {
        *self.state() = State::Ended;
        self.changed.notify_one();
    }

    /// Calls `receive` at every tick while no other thread receives. `receive` returns `false` if another thread does.
    /// Returns when the connection has ended.
    pub(super) fn work(&self, mut receive: impl FnMut() -> bool) {
        loop {
            let is_open = |state: &mut State| *state != State::Ended;
            let ticked = self.changed.wait_timeout_while(self.state(), TICK, is_open);
            let (mut state, _) = ticked.unwrap_or_else(PoisonError::into_inner);
            if *state == State::Ended {
                return;
            }
            // Before `receive`: a thread that stops receiving afterwards then sees that the minder rests, and wakes it.
            *state = State::Resting;
            drop(state);
            if receive() {
                self.change(State::Awake);
                continue;
            }
            let is_resting = |state: &mut State| *state == State::Resting;
            let woken = self.changed.wait_while(self.state(), is_resting);
            drop(woken.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Changes the state, unless the connection has ended.
    fn change(&self, to: State) {
        let mut state = self.state();
        if *state != State::Ended {
            *state = to;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
