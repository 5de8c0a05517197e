//! A received call, which derived code decodes.

use std::fmt;
use std::sync::Arc;

use super::context::{Context, Request, Running};
use super::handling::Handling;
use super::items::ItemSender;
use super::responder::Responder;
use super::session::Session;
use crate::calls::protocol::{Protocol, Reply};
use crate::calls::status::Status;
use crate::calls::trace::{SpanOutcome, Trace};
use crate::error::DecodeError;
use crate::message::Message as _;
use crate::owned_frame::OwnedFrame;
use crate::wire::{CallKind, HEAD_LEN};

/// A received call.
///
/// Derived code decodes it and calls the handler.
pub struct Call<P> {
    frame: OwnedFrame<P>,
    /// The length of the received request.
    len: usize,
    /// `None` after it was passed to the handler.
    waiting: Option<Waiting>,
}

/// A call that was not passed to a handler yet.
struct Waiting {
    running: Arc<Running>,
    answering: Answering,
}

impl<P: Protocol> Call<P> {
    pub(crate) fn new(
        frame: OwnedFrame<P>,
        session: Arc<Session>,
        running: Arc<Running>,
        id: Option<u64>,
    ) -> Self {
        let len = frame.len() + id.map_or(0, |_id| HEAD_LEN);
        let answering = Answering { session, id, trace: Trace::server(id), stream: None };
        Self { frame, len, waiting: Some(Waiting { running, answering }) }
    }

    /// Returns whether the call is answered with items.
    pub(crate) fn has_items(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.running.is_stream())
    }

    /// Returns the span in which the call is handled.
    pub(crate) fn trace(&self) -> Trace {
        let waiting = self.waiting.as_ref();
        waiting.map(|waiting| waiting.answering.trace.clone()).unwrap_or_default()
    }

    /// Returns whether the caller no longer waits for an answer.
    pub(crate) fn is_over(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.running.is_over())
    }

    /// Returns the tag of the call, for a [`Service`](super::Service) that wraps another one.
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
        self.waiting.take().into_iter().for_each(|waiting| waiting.answering.refuse(status));
    }

    /// Returns the arguments of the handler. Returns `None` if they were already taken. Also returns `None` if the
    /// request cannot be decoded, after answering the call with an error.
    pub fn open(&mut self) -> Option<(Context, P::Borrowed<'_>, Answering)> {
        let Waiting { running, mut answering } = self.waiting.take()?;
        // The request itself does not know its tag if its variant is an `other` without a field.
        let tag = self.frame.tag().unwrap_or_default();
        match self.frame.decode() {
            Ok(request) => {
                let name = request.name();
                answering.trace.name(name);
                // Other answers do without the reference, which costs an atomic operation.
                answering.stream = running.is_stream().then(|| Arc::clone(&running));
                let context = Context { running, request: Request { name, tag, len: self.len } };
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

/// Sends the answer of a call.
///
/// Derived code uses it. Dropping it answers that the handler has failed.
#[derive(Debug)]
pub struct Answering {
    session: Arc<Session>,
    id: Option<u64>,
    trace: Trace,
    /// The call, if it is answered with items.
    stream: Option<Arc<Running>>,
}

impl Answering {
    /// Answers with the value that a handler returned.
    pub fn reply<'v, R: Reply>(mut self, result: Result<R::Value<'v>, R::Error<'v>>) {
        let reply = R::from_result(result);
        // If the answer cannot be sent, the caller gets an error. If encoding panics, dropping `self` answers.
        let ended = match self.id {
            Some(id) => self.session.reply(id, &reply),
            None => Ok(Status::Done),
        };
        self.id = None;
        self.trace.take().end(|| SpanOutcome::of_reply(&ended, reply.tag()));
        if let Err(error) = ended {
            self.session.tell(error);
        }
    }

    /// Returns a responder for a handler that lends its answer.
    pub fn responder<R: Reply>(mut self) -> Responder<R> {
        Responder::new(Arc::clone(&self.session), self.id.take(), self.trace.take())
    }

    /// Returns a sender for a handler that calls [`ItemSender::end`] after the last item.
    pub fn items<I>(mut self) -> ItemSender<I> {
        let running = self.running();
        ItemSender::new(Arc::clone(&self.session), running, self.id.take(), self.trace.take())
    }

    /// Returns a sender for a handler. Call [`Handling::done`] when the handler has returned.
    pub fn handled_items<I>(mut self) -> (ItemSender<I>, Handling) {
        let (session, running) = (Arc::clone(&self.session), self.running());
        let handling = Handling::new(session, Arc::clone(&running), self.id, self.trace.clone());
        self.stream = Some(running);
        (self.items().handled(), handling)
    }

    /// Answers that the server does not know the call.
    pub fn not_supported(self) {
        self.refuse(Status::NotSupported);
    }

    /// Ends a call that has no answer. If the caller wants one, it gets an error.
    pub fn nothing(mut self) {
        if self.id.is_none() {
            self.trace.take().end(|| SpanOutcome::DONE);
        }
        self.refuse(Status::Failed);
    }

    fn running(&mut self) -> Arc<Running> {
        let running = self.stream.take().or_else(|| self.session.running(self.id?));
        // Only a hand-written service gets here, by sending items for a cancelled call that has one answer.
        running.unwrap_or_else(|| self.session.begin_unanswered(true))
    }

    fn refuse(mut self, status: Status) {
        self.finish(status);
    }

    fn finish(&mut self, status: Status) {
        let status = match self.id.take() {
            Some(id) => self.session.finish(id, CallKind::Reply, status),
            None => status,
        };
        self.trace.take().end(|| SpanOutcome::of_status(status));
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.finish(Status::Failed);
    }
}
