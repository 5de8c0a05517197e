//! Takes what a server sends, where there is no socket.

use std::os::fd::OwnedFd;
use std::sync::mpsc;

use crate::backlog::Datagram;
use crate::error::{EncodeError, SendError};
use crate::wire::{CallHead, CallKind};

/// The way to whoever takes the parts that are sent.
#[derive(Debug)]
pub(crate) struct Memory(mpsc::Sender<Sent>);

/// A part of a call that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) bytes: Vec<u8>,
    pub(crate) descriptors: Vec<OwnedFd>,
}

impl Memory {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Sent>) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), receiver)
    }

    /// Takes a datagram apart, and passes its parts on.
    pub(crate) fn push(&self, datagram: &mut Datagram) -> Result<(), SendError> {
        let (_, descriptors) = datagram.content();
        let descriptors = descriptors.iter().map(OwnedFd::try_clone);
        let mut descriptors =
            descriptors.collect::<Result<Vec<_>, _>>().map_err(EncodeError::Fd)?;
        for frame in datagram.frames() {
            let (bytes, descriptors) = (frame.to_vec(), std::mem::take(&mut descriptors));
            // Fails if nobody wants it any more.
            _ = self.0.send(Sent { bytes, descriptors });
        }
        Ok(())
    }
}

impl Sent {
    pub(crate) fn head(&self) -> Option<CallHead> {
        CallHead::split(&self.bytes).map(|(head, _frame)| head)
    }

    /// Returns whether nothing comes after it for its call.
    pub(crate) fn is_last_of(&self, id: u64) -> bool {
        let is_last = |head: CallHead| matches!(head.kind, CallKind::Reply | CallKind::End);
        self.head().is_some_and(|head| head.id == id && is_last(head))
    }
}
