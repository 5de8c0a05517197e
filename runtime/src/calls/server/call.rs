//! A call that came, for derived code to take apart.

use std::fmt;
use std::sync::Arc;

use super::context::{Context, Request, Running};
use super::handling::Handling;
use super::items::ItemSender;
use super::responder::Responder;
use super::session::Session;
use crate::calls::protocol::{Protocol, Reply};
use crate::calls::status::Status;
use crate::calls::trace::{Outcome, Trace};
use crate::error::DecodeError;
use crate::message::Message as _;
use crate::owned_frame::OwnedFrame;
use crate::wire::{CallKind, HEAD_LEN};

/// A call that came. Derived code takes it apart and calls the handler.
pub struct Call<P> {
    frame: OwnedFrame<P>,
    /// The length of the request as it was received.
    len: usize,
    /// `None` once the handler has it.
    answering: Option<Answering>,
}

impl<P: Protocol> Call<P> {
    pub(crate) fn new(
        frame: OwnedFrame<P>,
        session: Arc<Session>,
        running: Arc<Running>,
        id: Option<u64>,
    ) -> Self {
        let len = frame.len() + id.map_or(0, |_id| HEAD_LEN);
        let answering = Answering { session, running, id, trace: Trace::server(id) };
        Self { frame, len, answering: Some(answering) }
    }

    /// Returns whether the call is answered with items.
    pub(crate) fn has_items(&self) -> bool {
        self.answering.as_ref().is_some_and(|answering| answering.running.is_stream())
    }

    /// Returns the span in which the call is handled.
    pub(crate) fn trace(&self) -> Trace {
        self.answering.as_ref().map(|answering| answering.trace.clone()).unwrap_or_default()
    }

    /// Returns whether nobody waits for an answer any more.
    pub(crate) fn is_over(&self) -> bool {
        self.answering.as_ref().is_some_and(|answering| answering.running.is_over())
    }

    /// Returns the tag of the call, for a [`Service`](super::Service) around others.
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFrame::tag`].
    pub fn tag(&self) -> Result<u32, DecodeError> {
        self.frame.tag()
    }

    /// Returns the length of the request in bytes: see [`Context::frame_len`].
    #[must_use]
    pub fn frame_len(&self) -> usize {
        self.len
    }

    /// Answers that the call is not executed.
    pub(crate) fn refuse(mut self, status: Status) {
        self.answering.take().into_iter().for_each(|answering| answering.refuse(status));
    }

    /// Returns what the handler gets. `None` if it has that already, or if the request cannot be decoded: then the call
    /// is answered.
    pub fn open(&mut self) -> Option<(Context, P::Borrowed<'_>, Answering)> {
        let answering = self.answering.take()?;
        // The request itself does not know its tag if its variant is an `other` without a field.
        let tag = self.frame.tag().unwrap_or_default();
        match self.frame.decode() {
            Ok(request) => {
                let name = request.name();
                answering.trace.name(name);
                let context = answering.context(Request { name, tag, len: self.len });
                Some((context, request, answering))
            }
            Err(error) => {
                let status = match error {
                    DecodeError::UnknownTag(_) => Status::NotSupported,
                    _ => Status::Malformed,
                };
                answering.session.tell(error);
                answering.refuse(status);
                None
            }
        }
    }
}

impl<P> fmt::Debug for Call<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("frame", &self.frame).finish_non_exhaustive()
    }
}

/// The way back for the answer of a call. Derived code uses it. Dropping it answers that the handler has failed.
#[derive(Debug)]
pub struct Answering {
    session: Arc<Session>,
    running: Arc<Running>,
    id: Option<u64>,
    trace: Trace,
}

impl Answering {
    fn context(&self, request: Request) -> Context {
        Context { running: Arc::clone(&self.running), request }
    }

    /// Answers with what a handler returned.
    pub fn reply<'v, R: Reply>(mut self, result: Result<R::Value<'v>, R::Error<'v>>) {
        let reply = R::from_result(result);
        // The caller learns that the handler has failed.
        let ended = match self.id.take() {
            Some(id) => self.session.reply(id, &reply),
            None => Ok(Status::Done),
        };
        self.trace.take().end(|| Outcome::of_reply(&ended, reply.tag()));
        if let Err(error) = ended {
            self.session.tell(error);
        }
    }

    /// Hands the answer over to a handler that lends it.
    pub fn responder<R: Reply>(mut self) -> Responder<R> {
        Responder::new(Arc::clone(&self.session), self.id.take(), self.trace.take())
    }

    /// Hands the items over to a handler, which calls [`ItemSender::end`] after the last one.
    pub fn items<I>(mut self) -> ItemSender<I> {
        let (session, running) = (Arc::clone(&self.session), Arc::clone(&self.running));
        ItemSender::new(session, running, self.id.take(), self.trace.take())
    }

    /// Hands the items over to a handler. Call [`Handling::done`] once it returns.
    pub fn handled_items<I>(self) -> (ItemSender<I>, Handling) {
        let (session, running) = (Arc::clone(&self.session), Arc::clone(&self.running));
        let handling = Handling::new(session, running, self.id, self.trace.clone());
        (self.items().handled(), handling)
    }

    /// Answers that the server does not know the call.
    pub fn not_supported(self) {
        self.refuse(Status::NotSupported);
    }

    /// Ends a call that has no answer. A caller who wants one learns that there is none.
    pub fn nothing(mut self) {
        if self.id.is_none() {
            self.trace.take().end(|| Outcome::DONE);
        }
        self.refuse(Status::Failed);
    }

    fn refuse(mut self, status: Status) {
        self.finish(status);
    }

    fn finish(&mut self, status: Status) {
        let status = match self.id.take() {
            Some(id) => self.session.finish(id, CallKind::Reply, status),
            None => status,
        };
        self.trace.take().end(|| Outcome::of_status(status));
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.finish(Status::Failed);
    }
}
