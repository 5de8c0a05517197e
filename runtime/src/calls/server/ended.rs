//! How a call of a session ends.

use super::calls::Unanswered;
use super::session::{Session, reply};
use crate::calls::bell::Bell;
use crate::calls::status::Status;
use crate::error::SendError;
use crate::message::Message;
use crate::wire::{CallHead, CallKind};

impl Session {
    /// Answers a call with a message, and ends it. Sends nothing if the call was cancelled. Returns how the call ended.
    pub(crate) fn reply<M: Message>(&self, id: u64, message: &M) -> Result<Status, SendError> {
        let Some(ended) = self.end_call(id) else { return Ok(Status::Cancelled) };
        // The handler may have noticed that the deadline has passed, and given an incomplete answer.
        if ended.is_over() {
            ended.answered(self.push_status(id, Status::TimedOut));
            return Ok(Status::TimedOut);
        }
        let queued = self.outlet.push(Some(reply(id, Status::Done)), message)?;
        ended.answered(queued.is_first);
        Ok(Status::Done)
    }

    /// Ends a call without a message. Sends nothing if the call was cancelled. Returns how the call ended.
    pub(crate) fn finish(&self, id: u64, kind: CallKind, status: Status) -> Status {
        let Some(ended) = self.end_call(id) else { return Status::Cancelled };
        ended.answered(self.outlet.push_head(CallHead { kind, number: status as u32, id }));
        status
    }

    /// Removes a call, to answer it. Returns `None` if it does not run, or if its caller waits for no answer.
    #[inline]
    fn end_call(&self, id: u64) -> Option<Ended<'_>> {
        let (unanswered, is_awaited) = self.calls.remove(id);
        if unanswered.is_none() && is_awaited {
            self.bell.iter().for_each(Bell::ring);
        }
        unanswered.map(|unanswered| Ended {
            session: self,
            id,
            unanswered: Some(unanswered),
            is_awaited,
        })
    }
}

/// A call that has ended, and is answered next. If encoding the answer fails or panics, the caller learns that the
/// handler has failed.
struct Ended<'s> {
    session: &'s Session,
    id: u64,
    /// `None` once the answer is queued.
    unanswered: Option<Unanswered<'s>>,
    /// Whether the task of the connection waits for the end of a call.
    is_awaited: bool,
}

impl Ended<'_> {
    /// Returns whether the caller no longer waits for the answer.
    fn is_over(&self) -> bool {
        self.unanswered.as_ref().is_some_and(|unanswered| unanswered.is_over)
    }

    /// Notes that the answer is queued. For `is_first`, see
    /// [`Queued::is_first`](crate::calls::outlet::Queued::is_first).
    #[inline]
    fn answered(mut self, is_first: bool) {
        self.unanswered = None;
        self.session.flush(is_first || self.is_awaited);
    }
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if self.unanswered.is_some() {
            let is_first = self.session.push_status(self.id, Status::Failed);
            self.unanswered = None;
            self.session.flush(is_first || self.is_awaited);
        }
    }
}
