//! A received part of a call.

use crate::message::{Descriptors, Message};
use crate::owned_frame::OwnedFrame;
use crate::wire::{CallHead, HEAD_LEN};

/// A received part of a call, or an ordinary frame, that owns its memory.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// `None` for an ordinary frame.
    pub(crate) head: Option<CallHead>,
    bytes: Vec<u8>,
    /// Where the frame begins.
    start: usize,
    descriptors: Descriptors,
}

impl Part {
    pub(super) fn new(
        head: Option<CallHead>,
        bytes: Vec<u8>,
        start: usize,
        descriptors: Descriptors,
    ) -> Self {
        Self { head, bytes, start, descriptors }
    }

    /// Returns a part as if it had been received.
    #[cfg(test)]
    pub(crate) fn of(head: CallHead, frame: &[u8]) -> Self {
        Self::new(Some(head), frame.to_vec(), 0, Descriptors::default())
    }

    /// Returns the frame, which is empty in a part without one.
    pub(crate) fn frame(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Returns the length in bytes as it traveled, with the head.
    pub(crate) fn len(&self) -> usize {
        self.frame().len() + self.head.map_or(0, |_head| HEAD_LEN)
    }

    /// Returns the frame, for a message type that may differ from the receiver's.
    pub(crate) fn into_frame<M: Message>(self) -> OwnedFrame<M> {
        let descriptors = if M::DESCRIPTORS { self.descriptors } else { Descriptors::default() };
        OwnedFrame::with_start(self.bytes, self.start, descriptors)
    }
}
