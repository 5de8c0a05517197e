//! A call that has begun.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::link::Link;
use crate::calls::deadline::has_passed;
use crate::calls::protocol::Protocol;
use crate::calls::trace::{SpanOutcome, Trace};
use crate::error::CallError;
use crate::receiver::Part;

/// A call that has begun. Dropping this cancels the call, unless it has ended.
pub(super) struct Begun<P: Protocol> {
    link: Arc<Link<P>>,
    id: u64,
    deadline: Option<Instant>,
    has_ended: bool,
    trace: Trace,
}

impl<P: Protocol> Begun<P> {
    pub(super) fn new(
        link: Arc<Link<P>>,
        id: u64,
        deadline: Option<Instant>,
        trace: Trace,
    ) -> Self {
        Self { link, id, deadline, has_ended: false, trace }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Notes that the call has ended.
    pub(super) fn end(&mut self, outcome: impl FnOnce() -> SpanOutcome) {
        self.has_ended = true;
        self.trace.take().end(outcome);
    }

    /// Waits for the answer.
    pub(super) fn wait_for_answer(&self) -> Result<Part, CallError> {
        self.link.wait_for_answer(self.id, self.deadline)
    }

    /// Waits for the next item, `None` at the end.
    pub(super) fn wait_for_item(&self) -> Result<Option<Part>, CallError> {
        self.link.wait_for_item(self.id, self.deadline)
    }

    /// Waits until one of these waits is over at once, or until `deadline`. Returns whether it is.
    pub(super) fn wait_deadline(&self, deadline: Instant) -> bool {
        let until = self.deadline.map_or(deadline, |of_call| of_call.min(deadline));
        self.has_ended || self.link.is_ready_by(self.id, until) || has_passed(self.deadline)
    }
}

impl<P: Protocol> Drop for Begun<P> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.link.cancel(self.id);
            self.trace.take().end(|| SpanOutcome::CANCELLED);
        }
    }
}

impl<P: Protocol> fmt::Debug for Begun<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("id", &self.id).finish_non_exhaustive()
    }
}
