//! The items that a service sends without a socket.

use std::fmt;
use std::sync::Arc;

use super::local::frame;
use crate::calls::memory::{Outputs, Sent};
use crate::calls::server::Running;
use crate::calls::status::Status;
use crate::error::CallError;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::wire::CallKind;

/// The items of a call without a socket. Dropping this cancels the call.
pub(crate) struct ReceivedItems<I> {
    outputs: Outputs,
    running: Arc<Running>,
    /// The last item.
    item: Option<OwnedFrame<I>>,
    is_done: bool,
}

impl<I: Message> ReceivedItems<I> {
    pub(crate) fn new(outputs: Outputs, running: Arc<Running>) -> Self {
        Self { outputs, running, item: None, is_done: false }
    }

    /// Frees the last item. Returns the source of the next one, or `None` after the end.
    pub(crate) fn next_output(&mut self) -> Option<&mut Outputs> {
        self.item = None;
        (!self.is_done).then_some(&mut self.outputs)
    }

    /// Lends the item in `sent`. `None` means that the handler ended without saying how its items end.
    pub(crate) fn take(
        &mut self,
        sent: Option<Sent>,
    ) -> Result<Option<I::Borrowed<'_>>, CallError> {
        let Some(sent) = sent else {
            self.is_done = true;
            return Err(CallError::Failed);
        };
        if let Some(head) = sent.head()
            && head.kind != CallKind::Item
        {
            self.is_done = true;
            return Status::new(head.number).into_error().map_or(Ok(None), Err);
        }
        self.running.add_credit(1);
        let item = self.item.insert(frame(sent));
        item.decode().map(Some).map_err(CallError::Decode)
    }
}

impl<I> Drop for ReceivedItems<I> {
    fn drop(&mut self) {
        self.running.cancel();
    }
}

impl<I> fmt::Debug for ReceivedItems<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("is_done", &self.is_done).finish_non_exhaustive()
    }
}
