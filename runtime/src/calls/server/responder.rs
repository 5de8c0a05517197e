//! The answer of one call.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::session::Session;
use crate::calls::protocol::Reply;
use crate::calls::status::Status;
use crate::calls::trace::{SpanOutcome, Trace};
use crate::error::SendError;
use crate::message::Message as _;
use crate::wire::CallKind;

/// Answers a call with a value that may borrow from values that the handler holds.
///
/// If it is dropped, the caller gets [`CallError::Failed`](super::super::CallError::Failed).
#[must_use = "dropping it answers with an error"]
pub struct Responder<R> {
    session: Arc<Session>,
    /// `None` for a call whose caller wants no answer, and after the answer.
    id: Option<u64>,
    trace: Trace,
    reply: PhantomData<fn(R)>,
}

impl<R: Reply> Responder<R> {
    pub(super) fn new(session: Arc<Session>, id: Option<u64>, trace: Trace) -> Self {
        Self { session, id, trace, reply: PhantomData }
    }

    /// Answers the call.
    ///
    /// # Errors
    ///
    /// [`SendError::Encode`] if the value cannot be encoded; [`SendError::NoDescriptors`] and
    /// [`SendError::TooManyDescriptors`]; [`SendError::Io`] if there is no memory for a large frame. The caller then
    /// gets [`CallError::Failed`](crate::calls::CallError::Failed).
    pub fn send<'v>(mut self, result: Result<R::Value<'v>, R::Error<'v>>) -> Result<(), SendError> {
        let reply = R::from_result(result);
        // If encoding panics, dropping `self` answers.
        let ended = match self.id {
            Some(id) => self.session.reply(id, &reply),
            None => Ok(Status::Done),
        };
        self.id = None;
        self.trace.take().end(|| SpanOutcome::of_reply(&ended, reply.tag()));
        ended.map(|_| ())
    }
}

impl<R> Drop for Responder<R> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let status = self.session.finish(id, CallKind::Reply, Status::Failed);
            self.trace.take().end(|| SpanOutcome::of_status(status));
        }
    }
}

impl<R> fmt::Debug for Responder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("id", &self.id).finish_non_exhaustive()
    }
}
