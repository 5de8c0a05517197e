//! Tracks whether a handler that answers with items has returned.

use std::fmt;
use std::sync::Arc;

use super::context::Running;
use super::session::Session;
use crate::calls::status::Status;
use crate::calls::trace::{SpanOutcome, Trace};
use crate::wire::CallKind;

/// A running handler that answers with items.
///
/// Derived code uses it. If the handler drops its [`ItemSender`](super::ItemSender), the items end when the
/// handler returns. Dropping this value means that the handler has failed.
#[must_use = "dropping it means that the handler has failed"]
pub struct Handling {
    session: Arc<Session>,
    running: Arc<Running>,
    id: Option<u64>,
    is_done: bool,
    trace: Trace,
}

impl Handling {
    pub(super) fn new(
        session: Arc<Session>,
        running: Arc<Running>,
        id: Option<u64>,
        trace: Trace,
    ) -> Self {
        Self { session, running, id, is_done: false, trace }
    }

    /// Notes that the handler has returned.
    pub fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        // If the sender still exists, it ends the items.
        if !self.running.end_handler() {
            return;
        }
        if let Some(id) = self.id {
            let status = match () {
                () if self.running.is_over() => Status::TimedOut,
                () if self.is_done => Status::Done,
                () => Status::Failed,
            };
            let status = self.session.finish(id, CallKind::End, status);
            self.trace.take().end(|| SpanOutcome::of_status(status));
        }
    }
}

impl fmt::Debug for Handling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handling").field("id", &self.id).finish_non_exhaustive()
    }
}
