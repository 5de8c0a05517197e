//! When the thread works that receives while all others handle calls.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long nobody receives before the minder does.
const TICK: Duration = Duration::from_millis(10);

/// Whether the minder of a connection works. It rests as long as another thread receives.
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
    /// It looks at every tick whether somebody receives.
    Awake,
    /// Somebody receives, or has just stopped.
    Resting,
    /// The connection has ended.
    Ended,
}

impl Minder {
    /// The last thread that received begins to handle a call. Returns whether the minder's thread has to be started.
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

    /// Its thread could not be started.
    pub(super) fn not_started(&self) {
        self.change(State::Absent);
    }

    /// The connection has ended.
    pub(super) fn end(&self) {
        *self.state() = State::Ended;
        self.changed.notify_one();
    }

    /// Calls `receive` now and then, as long as nobody else receives. That returns `false` if somebody does. Returns
    /// when the connection has ended.
    pub(super) fn work(&self, mut receive: impl FnMut() -> bool) {
        loop {
            let goes_on = |state: &mut State| *state != State::Ended;
            let ticked = self.changed.wait_timeout_while(self.state(), TICK, goes_on);
            let (mut state, _) = ticked.unwrap_or_else(PoisonError::into_inner);
            if *state == State::Ended {
                return;
            }
            // Before the look: whoever stops receiving after it then sees that the minder rests.
            *state = State::Resting;
            drop(state);
            if receive() {
                self.change(State::Awake);
                continue;
            }
            let rests = |state: &mut State| *state == State::Resting;
            let woken = self.changed.wait_while(self.state(), rests);
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
