//! Items of a call without a socket.

use std::fmt;

use super::received::ReceivedItems;
use crate::calls::memory::Outputs;
use crate::error::CallError;
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

    /// Waits for the next item, which is lent until the one after it. `None` after the last one.
    ///
    /// # Errors
    ///
    /// A [`CallError`]. After all but [`CallError::Decode`], there are no more items.
    pub fn recv(&mut self) -> Result<Option<I::Borrowed<'_>>, CallError> {
        match self.items.is_done() {
            true => Ok(None),
            false => self.items.take(self.outputs.recv()),
        }
    }
}

impl<I> fmt::Debug for DirectItems<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectItems").field("items", &self.items).finish_non_exhaustive()
    }
}
