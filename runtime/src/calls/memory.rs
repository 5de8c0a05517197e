//! Takes the parts that a server sends without a socket.

use std::mem;
use std::os::fd::OwnedFd;
use std::sync::Arc;
#[cfg(feature = "tokio")]
use std::sync::mpsc::TryRecvError;
use std::sync::mpsc::{self, RecvTimeoutError};
#[cfg(feature = "tokio")]
use std::task::{Context, Poll};
use std::time::Duration;

use crate::backlog::Datagram;
use crate::calls::bell::Bell;
use crate::error::{EncodeError, SendError};
use crate::wire::{CallHead, CallKind};

/// Hands sent parts to [`Outputs`].
#[derive(Debug)]
pub(crate) struct Memory {
    /// `None` only while this is dropped.
    sender: Option<mpsc::Sender<Sent>>,
    bell: Arc<Bell>,
}

/// Returns the sent parts, to a thread or a task.
#[derive(Debug)]
pub(crate) struct Outputs {
    sent: mpsc::Receiver<Sent>,
    bell: Arc<Bell>,
}

/// A part of a call that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) bytes: Vec<u8>,
    pub(crate) descriptors: Vec<OwnedFd>,
}

impl Memory {
    pub(crate) fn new() -> (Self, Outputs) {
        let ((sender, sent), bell) = (mpsc::channel(), Arc::new(Bell::default()));
        (Self { sender: Some(sender), bell: Arc::clone(&bell) }, Outputs { sent, bell })
    }

    /// Splits a datagram into its parts, and hands them over.
    pub(crate) fn push(&self, datagram: &mut Datagram) -> Result<(), SendError> {
        let (_, descriptors) = datagram.content();
        let descriptors = descriptors.iter().map(OwnedFd::try_clone);
        let mut descriptors =
            descriptors.collect::<Result<Vec<_>, _>>().map_err(EncodeError::Fd)?;
        for frame in datagram.frames() {
            let (bytes, descriptors) = (frame.to_vec(), mem::take(&mut descriptors));
            // Fails if the receiving side was dropped.
            _ = self.sender.as_ref().map(|sender| sender.send(Sent { bytes, descriptors }));
        }
        self.bell.ring();
        Ok(())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // Before the bell, so that the woken task finds the end.
        self.sender = None;
        self.bell.ring();
    }
}

impl Outputs {
    /// Waits for the next part. Returns `None` if no more can come.
    pub(crate) fn recv(&self) -> Option<Sent> {
        self.sent.recv().ok()
    }

    /// Waits for the next part, at most for `timeout`.
    pub(crate) fn recv_timeout(&self, timeout: Duration) -> Result<Sent, RecvTimeoutError> {
        self.sent.recv_timeout(timeout)
    }

    /// Returns the parts that are already queued.
    pub(crate) fn queued(&self) -> impl Iterator<Item = Sent> {
        self.sent.try_iter()
    }

    /// Polls for the next part. Returns `None` if no more can come.
    #[cfg(feature = "tokio")]
    pub(crate) fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Option<Sent>> {
        self.bell.disarm();
        match self.sent.try_recv() {
            Ok(sent) => Poll::Ready(Some(sent)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => {
                self.bell.arm(cx);
                Poll::Pending
            }
        }
    }
}

impl Sent {
    pub(crate) fn head(&self) -> Option<CallHead> {
        CallHead::split(&self.bytes).map(|(head, _frame)| head)
    }

    /// Returns whether it ends the call `id`.
    pub(crate) fn ends(&self, id: u64) -> bool {
        let is_end = |kind| matches!(kind, CallKind::Reply | CallKind::End);
        self.head().is_some_and(|head| head.id == id && is_end(head.kind))
    }
}
