//! Answers that borrow.

use std::fmt;

use crate::calls::protocol::Reply;
use crate::error::CallError;
use crate::owned_frame::OwnedFrame;

/// The answer to a call whose value borrows from it.
#[must_use = "decode it: it may be an error of the protocol"]
pub struct Answer<R>(OwnedFrame<R>);

impl<R: Reply> Answer<R> {
    pub(crate) fn new(frame: OwnedFrame<R>) -> Self {
        Self(frame)
    }

    /// Decodes the value, which borrows from the answer.
    ///
    /// # Errors
    ///
    /// [`CallError::Answered`] if the server answered with an error of the protocol. [`CallError::Decode`].
    pub fn decode(&mut self) -> Result<R::Value<'_>, CallError<R::Error<'_>>> {
        let reply = self.0.decode().map_err(CallError::Decode)?;
        R::into_result(reply).map_err(CallError::Answered)
    }
}

impl<R> fmt::Debug for Answer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answer").field(&self.0).finish()
    }
}
