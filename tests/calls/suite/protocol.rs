//! The protocol of the suite, an older version of it, and the notes of its handlers.

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use datagrammar::calls::{Context, Responder};
use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
pub(crate) enum Suite<'a> {
    /// Returns the sum.
    #[message(tag = 1, extensible, reply = Result<u64, String>)]
    Add {
        left: u64,
        right: u64,
        /// The older version does not have it.
        #[message(default)]
        more: u64,
    },
    /// Returns the sum, and does not ignore unknown fields.
    #[message(tag = 2, reply = u64)]
    AddAll {
        left: u64,
        right: u64,
        #[message(default)]
        more: u64,
    },
    /// Stops the server: running calls may end, or are cancelled at once.
    #[message(tag = 3)]
    Stop { at_once: bool },
    /// Returns `number` as bytes when `of` of these calls have arrived, in reverse order.
    #[message(tag = 4, reply = &[u8])]
    Hold { number: u64, of: u64 },
    /// Returns `content`.
    #[message(tag = 5, reply = &[u8])]
    Echo {
        #[message(rest)]
        content: &'a [u8],
    },
    /// Sends the numbers below `to`. Then answers the held calls.
    #[message(tag = 6, items = Number)]
    Count { to: u64 },
    /// Adds to what the server has noted.
    #[message(tag = 7)]
    Note(u64),
    /// Waits until it is cancelled.
    #[message(tag = 8, reply = u64)]
    Wait,
    /// Sends 0, and waits until it is cancelled.
    #[message(tag = 9, items = Number)]
    Watch,
    #[message(tag = 10, reply = u64)]
    Panic,
    /// Sends the numbers below `to`, and panics.
    #[message(tag = 11, items = Number)]
    PanicAfter { to: u64 },
    /// Returns how many milliseconds are left until the deadline, `None` without one.
    #[message(tag = 12, reply = Option<u64>)]
    Left,
    /// Returns `file`.
    #[message(tag = 13, reply = File)]
    Return {
        #[message(fd)]
        file: File,
    },
    /// Returns what the handlers have noted.
    #[message(tag = 14, reply = Seen)]
    See,
    /// Sends long items without end.
    #[message(tag = 15, items = Block<'_>)]
    Flood,
}

/// The length of an item of a flood.
pub(crate) const BLOCK: usize = 64 * 1024;

#[derive(Message)]
#[message(tag = 1)]
pub(crate) struct Block<'a>(#[message(rest)] pub(crate) &'a [u8]);

#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
#[message(tag = 1)]
pub(crate) struct Number(pub(crate) u64);

/// The notes of the handlers of a server.
#[derive(Message, Debug, Default, PartialEq, Eq)]
#[message(tag = 1)]
pub(crate) struct Seen {
    /// The sum of all notes.
    pub(crate) noted: u64,
    /// How many items were sent.
    pub(crate) sent: u64,
    /// How many calls are held.
    pub(crate) held: u64,
    /// How many calls have begun to wait for their cancellation.
    pub(crate) waiting: u64,
    /// How many of these calls were cancelled.
    pub(crate) cancelled: u64,
}

/// An older version of the protocol.
pub(crate) mod older {
    use datagrammar::{Message, Protocol};

    use super::Number;

    #[derive(Message, Protocol)]
    pub(crate) enum Suite {
        #[message(tag = 1, extensible, reply = Result<u64, String>)]
        Add { left: u64, right: u64 },
        #[message(tag = 2, reply = u64)]
        AddAll { left: u64, right: u64 },
        #[message(tag = 3)]
        Stop { at_once: bool },
        #[message(tag = 6, items = Number)]
        Count { to: u64 },
    }
}

/// Stops a server with a deadline.
pub(crate) type Stop = Box<dyn Fn(Instant) + Send + Sync>;

/// The state that the handlers of a server share.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) noted: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) waiting: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    held: Mutex<Vec<(u64, Responder<SuiteHoldAnswer<'static>>)>>,
    pub(crate) stop: OnceLock<Stop>,
}

impl State {
    pub(crate) fn seen(&self) -> Seen {
        Seen {
            noted: self.noted.load(Ordering::SeqCst),
            sent: self.sent.load(Ordering::SeqCst),
            held: self.held.lock().unwrap().len() as u64,
            waiting: self.waiting.load(Ordering::SeqCst),
            cancelled: self.cancelled.load(Ordering::SeqCst),
        }
    }

    /// Answers a call later, in another order than the calls arrived.
    pub(crate) fn hold(
        &self,
        number: u64,
        of: u64,
        responder: Responder<SuiteHoldAnswer<'static>>,
    ) {
        let is_complete = {
            let mut held = self.held.lock().unwrap();
            held.push((number, responder));
            held.len() as u64 == of
        };
        if is_complete {
            self.answer_held();
        }
    }

    pub(crate) fn answer_held(&self) {
        let held = std::mem::take(&mut *self.held.lock().unwrap());
        for (number, responder) in held.into_iter().rev() {
            responder.send(Ok(&number.to_le_bytes())).unwrap();
        }
    }

    pub(crate) fn stop(&self, at_once: bool) {
        let patience = if at_once { Duration::ZERO } else { Duration::from_secs(60) };
        (self.stop.get().unwrap())(Instant::now() + patience);
    }
}

pub(crate) fn sum(left: u64, right: u64, more: u64) -> Result<u64, String> {
    let sum = left.checked_add(right).and_then(|sum| sum.checked_add(more));
    sum.ok_or_else(|| "too much".into())
}

/// Returns how many milliseconds are left until the deadline.
pub(crate) fn left(cx: &Context) -> Option<u64> {
    let left = cx.deadline()?.saturating_duration_since(Instant::now());
    Some(left.as_millis() as u64)
}

/// Serves a version of the protocol.
pub(crate) struct Handler(pub(crate) Arc<State>);
