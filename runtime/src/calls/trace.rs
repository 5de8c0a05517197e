//! Spans of calls, for the crate `tracing`. Without the feature, a [`Trace`] is nothing.

use std::mem;

use crate::calls::status::Status;
use crate::error::CallError;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;

/// How a call ended, as its span records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpanOutcome(&'static str);

/// The span of a call at one of its sides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    #[cfg(feature = "tracing")]
    span: Option<tracing::Span>,
}

impl Trace {
    /// The span of a client's call.
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
    pub(crate) fn client(name: &'static str) -> Self {
        Self {
            #[cfg(feature = "tracing")]
            span: Some(tracing::info_span!(
                target: "datagrammar::calls",
                "call",
                name,
                id = tracing::field::Empty,
                outcome = tracing::field::Empty,
            )),
        }
    }

    /// The span of a server's handler.
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
    pub(crate) fn server(id: Option<u64>) -> Self {
        Self {
            #[cfg(feature = "tracing")]
            span: Some(tracing::info_span!(
                target: "datagrammar::calls",
                "handle",
                name = tracing::field::Empty,
                id,
                outcome = tracing::field::Empty,
            )),
        }
    }

    /// Notes the name of a call whose request was decoded.
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, clippy::unused_self))]
    pub(crate) fn name(&self, name: &'static str) {
        #[cfg(feature = "tracing")]
        if let Some(span) = &self.span {
            span.record("name", name);
        }
    }

    /// Notes the id of a call that has begun.
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, clippy::unused_self))]
    pub(crate) fn id(&self, id: u64) {
        #[cfg(feature = "tracing")]
        if let Some(span) = &self.span {
            span.record("id", id);
        }
    }

    /// Ends the span. Calls `outcome` only if there is a subscriber.
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
    pub(crate) fn end(self, outcome: impl FnOnce() -> SpanOutcome) {
        #[cfg(feature = "tracing")]
        if let Some(span) = self.span.filter(|span| !span.is_disabled()) {
            span.record("outcome", outcome().0);
        }
    }

    /// Takes the span, and leaves none.
    pub(crate) fn take(&mut self) -> Self {
        mem::take(self)
    }

    /// Runs `work` inside the span.
    #[cfg_attr(not(feature = "tracing"), expect(clippy::unused_self))]
    pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        let _entered = self.span.as_ref().map(tracing::Span::enter);
        work()
    }
}

impl SpanOutcome {
    /// The call has its answer, or all of its items.
    pub(crate) const DONE: Self = Self("done");

    /// The answer is an error of the protocol.
    const ERROR: Self = Self("error");

    /// The caller no longer waits for an answer.
    pub(crate) const CANCELLED: Self = Self("cancelled");

    /// Returns the outcome of an answer with this tag.
    fn of_tag(tag: u32) -> Self {
        if tag == 2 { Self::ERROR } else { Self::DONE }
    }

    /// Returns the outcome of a call that returned no value.
    pub(crate) fn of_error<E>(error: &CallError<E>) -> Self {
        Self(match error {
            CallError::NotSent(_) => "not sent",
            CallError::WrongType { .. } => "wrong type",
            CallError::TooLarge => "too large",
            CallError::NotSupported => "not supported",
            CallError::Malformed => "malformed",
            CallError::Busy => "busy",
            CallError::Stopping => "stopping",
            CallError::Answered(_) => "error",
            CallError::Failed => "failed",
            CallError::Unexpected => "unexpected",
            CallError::Decode(_) => "not decoded",
            CallError::Cancelled => "cancelled",
            CallError::TimedOut => "timed out",
            CallError::Lost(_) => "lost",
            CallError::Disconnected(_) => "disconnected",
        })
    }

    /// Returns the outcome of a received answer.
    pub(crate) fn of_answer<R: Message>(answer: &Result<OwnedFrame<R>, CallError>) -> Self {
        match answer {
            Ok(frame) => Self::of_tag(frame.tag().unwrap_or_default()),
            Err(error) => Self::of_error(error),
        }
    }

    /// Returns the outcome of an answer that a server has sent, or could not send.
    pub(crate) fn of_reply<E>(ended: &Result<Status, E>, tag: u32) -> Self {
        match ended {
            Ok(Status::Done) => Self::of_tag(tag),
            Ok(status) => Self::of_status(*status),
            Err(_) => Self::of_status(Status::Failed),
        }
    }

    /// Returns the outcome of a call without an answer, or of a call whose items have ended.
    pub(crate) fn of_result<T>(result: &Result<T, CallError>) -> Self {
        result.as_ref().map_or_else(Self::of_error, |_| Self::DONE)
    }

    /// Returns the outcome of a call that a server ends without a message.
    pub(crate) fn of_status(status: Status) -> Self {
        status.into_error().map_or(Self::DONE, |error| Self::of_error(&error))
    }
}
