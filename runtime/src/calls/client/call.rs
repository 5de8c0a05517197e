//! A call in flight: its parts that have arrived, and its waker.

use std::collections::VecDeque;
use std::mem;
use std::task::Waker;

use crate::calls::queue::Queued;
use crate::calls::status::CREDIT;
use crate::error::CallError;
use crate::receiver::Part;
use crate::wire::CallKind;

#[derive(Debug)]
pub(super) struct Call {
    /// The name of the call's variant.
    pub(super) name: &'static str,
    state: State,
    /// The position of the request in the queue, if that is known.
    pub(super) queued: Option<Queued>,
    /// Wakes the task or thread that waits for the call.
    pub(super) waker: Option<Waker>,
}

#[derive(Debug)]
enum State {
    /// Waiting for one answer.
    Waiting,
    Answered(Result<Part, CallError>),
    /// Items: those that have arrived, and how they ended.
    Items {
        queue: VecDeque<Part>,
        end: Option<Result<(), CallError>>,
        credit: u32,
    },
}

impl Call {
    /// Creates a call for one answer, or for `items`.
    #[inline]
    pub(super) fn new(name: &'static str, items: bool) -> Self {
        let state = match items {
            true => State::Items { queue: VecDeque::new(), end: None, credit: CREDIT },
            false => State::Waiting,
        };
        Self { name, state, queued: None, waker: None }
    }

    /// Returns whether the call is answered with items.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.state, State::Items { .. })
    }

    /// Returns whether the call waits for a part from the server.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Waiting | State::Items { end: None, .. })
    }

    /// Returns whether the server may still work on the call.
    pub(super) fn is_running(&self) -> bool {
        match &self.state {
            State::Items { end: Some(Err(error)), .. } => is_lost_here(error),
            _ => self.is_open(),
        }
    }

    /// Takes a part from the server, whose status is `error`, or leaves it where it is. Returns `false` if the part
    /// does not fit.
    #[inline]
    pub(super) fn deliver(
        &mut self,
        kind: CallKind,
        part: &mut Part,
        error: Option<CallError>,
    ) -> bool {
        match (kind, &mut self.state) {
            (CallKind::Reply, state @ State::Waiting) => {
                *state = State::Answered(error.map_or_else(|| Ok(mem::take(part)), Err));
            }
            (CallKind::Item, State::Items { queue, end: None, credit: credit @ 1.. }) => {
                *credit -= 1;
                queue.push_back(mem::take(part));
            }
            (CallKind::End, State::Items { end: end @ None, .. }) => {
                *end = Some(error.map_or(Ok(()), Err));
            }
            // Errors come as replies before the first item.
            (CallKind::Reply, State::Items { end: end @ None, .. }) => {
                *end = Some(Err(error.unwrap_or(CallError::Unexpected)));
            }
            (CallKind::End, state @ State::Waiting) => {
                *state = State::Answered(Err(error.unwrap_or(CallError::Unexpected)));
            }
            (CallKind::Item, State::Items { end: end @ None, .. }) => {
                // There is no credit for this item. Dropping it would leave an unnoticed gap.
                *end = Some(Err(CallError::Unexpected));
                return false;
            }
            _ => return false,
        }
        true
    }

    /// Ends the call with an error. Returns `false` if the call has already ended.
    pub(super) fn fail(&mut self, error: impl FnOnce() -> CallError) -> bool {
        match &mut self.state {
            state @ State::Waiting => *state = State::Answered(Err(error())),
            State::Items { end: end @ None, .. } => *end = Some(Err(error())),
            State::Answered(_) | State::Items { .. } => return false,
        }
        true
    }

    /// Takes the answer.
    #[inline]
    pub(super) fn take_answer(&mut self) -> Option<Result<Part, CallError>> {
        match &mut self.state {
            State::Answered(answer) => Some(mem::replace(answer, Err(CallError::Cancelled))),
            State::Waiting | State::Items { .. } => None,
        }
    }

    /// Returns whether there is an answer or an item, or the call has ended.
    pub(super) fn is_ready(&self) -> bool {
        match &self.state {
            State::Items { queue, end, .. } => !queue.is_empty() || end.is_some(),
            State::Answered(_) => true,
            State::Waiting => false,
        }
    }

    /// Takes the next item, and the credit to give the server.
    pub(super) fn take_item(&mut self) -> Option<(Part, u32)> {
        let State::Items { queue, end, credit } = &mut self.state else { return None };
        let item = queue.pop_front()?;
        // The items that the server may still send and those that wait here are together at most `CREDIT`.
        let more = match CREDIT - *credit - queue.len() as u32 {
            more if end.is_none() && more >= CREDIT / 2 => more,
            _ => 0,
        };
        *credit += more;
        Some((item, more))
    }

    /// Takes the result with which the items ended.
    pub(super) fn take_end(&mut self) -> Option<Result<(), CallError>> {
        match &mut self.state {
            State::Items { end, .. } => end.take(),
            State::Waiting | State::Answered(_) => None,
        }
    }

    /// Stores the waker of the task or thread that waits for the call. Returns the waker that this one replaces.
    #[inline]
    pub(super) fn wait(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.waker {
            Some(stored) if stored.will_wake(waker) => None,
            _ => self.waker.replace(waker.clone()),
        }
    }
}

/// Returns whether the server may still send items of a call that failed with `error`.
pub(super) fn is_lost_here(error: &CallError) -> bool {
    matches!(error, CallError::Lost(_) | CallError::Unexpected)
}
