//! Items of a call without a socket.

use std::fmt;
use std::future::poll_fn;

use crate::calls::{CallError, Outputs, ReceivedItems};
use crate::message::Message;

/// The items that a service sends to [`Direct::items`](super::Direct::items). Dropping it cancels the call.
pub struct DirectItems<I> {
    outputs: Outputs,
    items: ReceivedItems<I>,
}

impl<I: Message> DirectItems<I> {
    pub(super) fn new(outputs: Outputs, items: ReceivedItems<I>) -> Self {
        Self { outputs, items }
    }

    /// Waits for the next item, which is lent until the one after it. `None` after the last one. Cancel-safe: dropping
    /// the future loses no item.
    ///
    /// # Errors
    ///
    /// A [`CallError`]. After all but [`CallError::Decode`], there are no more items.
    pub async fn recv(&mut self) -> Result<Option<I::Borrowed<'_>>, CallError> {
        if self.items.is_done() {
            return Ok(None);
        }
        let sent = poll_fn(|cx| self.outputs.poll_recv(cx)).await;
        self.items.take(sent)
    }
}

impl<I> fmt::Debug for DirectItems<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectItems").field("items", &self.items).finish_non_exhaustive()
    }
}
