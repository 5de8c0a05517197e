//! When a script acts for which call.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use std::vec;

use super::replies::Replies;
use super::step::Action;
use crate::calls::protocol::Encoded;
use crate::sender::Sender;

/// The calls for which the script has more to do. The earliest is first. Of calls that are due at the same time, the
/// first to come is first.
#[derive(Default)]
pub(super) struct Schedule {
    calls: BTreeMap<(Instant, u64), Answered>,
    /// How many calls were added.
    count: u64,
}

/// A call, and what the script still does for it.
struct Answered {
    id: Option<u64>,
    actions: vec::IntoIter<Action>,
    is_cancelled: bool,
}

/// The longest delay. Any longer one is as good, and the sum of an instant and this one does not overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Schedule {
    /// Adds the actions for a call, which are due now.
    pub(super) fn add(&mut self, id: Option<u64>, actions: Vec<Action>) {
        self.count += 1;
        let call = Answered { id, actions: actions.into_iter(), is_cancelled: false };
        self.calls.insert((Instant::now(), self.count), call);
    }

    /// Notes that the caller has given up.
    pub(super) fn cancel(&mut self, id: u64) {
        // A test has few calls in flight.
        for call in self.calls.values_mut().filter(|call| call.id == Some(id)) {
            call.is_cancelled = true;
        }
    }

    /// Forgets the calls whose callers have given up.
    pub(super) fn forget_cancelled(&mut self) {
        self.calls.retain(|_, call| !call.is_cancelled);
    }

    /// Returns when the next action is due, `None` if there are no more actions.
    pub(super) fn next(&self) -> Option<Instant> {
        self.calls.first_key_value().map(|((due, _), _)| *due)
    }

    /// Does everything that is due. Returns whether the server dies.
    pub(super) fn run(&mut self, sender: &mut Sender<Encoded>) -> bool {
        while let Some(first) = self.calls.first_entry() {
            let (due, number) = *first.key();
            if due > Instant::now() {
                return false;
            }
            let mut call = first.remove();
            match call.run(sender) {
                Next::Done => {}
                Next::Die => return true,
                Next::Wait(time) => {
                    let due = Instant::now() + time.min(LONGEST);
                    self.calls.insert((due, number), call);
                }
            }
        }
        false
    }
}

/// What a call needs after its actions up to the next delay.
enum Next {
    Done,
    Wait(Duration),
    Die,
}

impl Answered {
    fn run(&mut self, sender: &mut Sender<Encoded>) -> Next {
        while let Some(action) = self.actions.next() {
            match action {
                // Fails only if the client has disconnected.
                Action::Send { send, .. } => _ = send(&mut Replies { sender, id: self.id }),
                // Nothing follows these delays.
                Action::Wait(_) if self.actions.as_slice().iter().all(Action::is_wait) => break,
                Action::Wait(time) => return Next::Wait(time),
                Action::Die => return Next::Die,
            }
        }
        Next::Done
    }
}
