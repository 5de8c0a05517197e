//! Items of a call without a socket.

use std::fmt;
use std::sync::{Arc, mpsc};

use super::local::frame;
use crate::calls::memory::Sent;
use crate::calls::server::Running;
use crate::calls::status::Status;
use crate::error::CallError;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::wire::CallKind;

/// The items that a service sends to [`Direct::items`](super::Direct::items). Dropping it cancels the call.
pub struct DirectItems<I> {
    sent: mpsc::Receiver<Sent>,
    running: Arc<Running>,
    /// The last item.
    item: Option<OwnedFrame<I>>,
    is_done: bool,
}

impl<I: Message> DirectItems<I> {
    pub(super) fn new(sent: mpsc::Receiver<Sent>, running: Arc<Running>) -> Self {
        Self { sent, running, item: None, is_done: false }
    }

    /// Waits for the next item, which is lent until the one after it. `None` after the last one.
    ///
    /// # Errors
    ///
    /// A [`CallError`]. After all but [`CallError::Decode`], there are no more items.
    pub fn recv(&mut self) -> Result<Option<I::Borrowed<'_>>, CallError> {
        self.item = None;
        if self.is_done {
            return Ok(None);
        }
        // Nobody sends any more: the handler has gone without an end, which it sends when it drops its sender.
        let Ok(sent) = self.sent.recv() else {
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

impl<I> Drop for DirectItems<I> {
    fn drop(&mut self) {
        self.running.cancel();
    }
}

impl<I> fmt::Debug for DirectItems<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectItems").field("is_done", &self.is_done).finish_non_exhaustive()
    }
}
