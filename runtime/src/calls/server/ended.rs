//! How a call of a session ends.

use super::calls::{Ended, Old};
use super::session::{Session, reply};
use crate::calls::bell::Bell;
use crate::calls::status::Status;
use crate::error::SendError;
use crate::message::Message;
use crate::wire::{CallHead, CallKind};

impl Session {
    /// Answers a call with a message, and ends it. Sends nothing if the call was cancelled. Returns how the call ended.
    pub(crate) fn reply<M: Message>(&self, id: u64, message: &M) -> Result<Status, SendError> {
        // Dropped at the end, as in `finish`: other threads may rely on this one to send the queued parts first.
        let mut old = Old::default();
        let answered = self.outlet.encode(reply(id, Status::Done), message, |answer| {
            let mut calls = self.outlet.lock();
            let ended = calls.end(id, &self.counts, &mut old);
            match ended {
                None => (ended, Status::Cancelled, false),
                Some(Ended { is_cancelled: true, .. }) => (ended, Status::Cancelled, false),
                // The handler may have noticed that the deadline has passed, and given an incomplete answer.
                Some(Ended { is_over: true, .. }) => {
                    (ended, Status::TimedOut, calls.push_head(reply(id, Status::TimedOut)))
                }
                Some(_) => (ended, Status::Done, calls.push(answer).is_first),
            }
        });
        match answered {
            Ok((ended, status, is_first)) => {
                self.ended(ended, is_first);
                Ok(status)
            }
            Err(error) => {
                self.finish(id, CallKind::Reply, Status::Failed);
                Err(error)
            }
        }
    }

    /// Ends a call without a message. Sends nothing if the call was cancelled. Returns how the call ended.
    pub(crate) fn finish(&self, id: u64, kind: CallKind, status: Status) -> Status {
        let mut old = Old::default();
        let mut calls = self.outlet.lock();
        let ended = calls.end(id, &self.counts, &mut old);
        let is_answered = ended.is_some_and(|ended| !ended.is_cancelled);
        let status = match (status, ended) {
            // The handler may have noticed that the deadline has passed, and given up.
            (Status::Failed, Some(Ended { is_over: true, .. })) => Status::TimedOut,
            _ => status,
        };
        let is_first = is_answered && calls.push_head(CallHead { kind, number: status as u32, id });
        drop(calls);
        self.ended(ended, is_first);
        if is_answered { status } else { Status::Cancelled }
    }

    /// Sends the answer of a call that has ended, if it has one. For `is_first`, see
    /// [`Queued::is_first`](crate::calls::queue::Queued::is_first).
    #[inline]
    fn ended(&self, ended: Option<Ended>, is_first: bool) {
        match ended {
            None => {}
            Some(Ended { is_cancelled: true, is_awaited, .. }) => {
                self.bell.iter().filter(|_| is_awaited).for_each(Bell::ring);
            }
            Some(Ended { is_awaited, .. }) => self.flush(is_first || is_awaited),
        }
    }
}
