//! Batches: messages collected one by one and sent together.

use std::fmt;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::process;

use crate::bundle::Bundle;
use crate::error::SendAllError;
use crate::message::Message;
use crate::outbox;
use crate::sender::Sender;
use crate::transport::Outgoing;
use crate::wait::Wait;

/// Collects messages of type `Tx`, and sends them together in one datagram.
///
/// A batch holds up to 64 KiB. It sends its messages when [`flush`](Self::flush) is called, and when the
/// next message does not fit. The peer receives nothing before that. To send messages that already exist,
/// use [`Sender::send_all`].
///
/// Each message is encoded once, when it is pushed. A message over 16 KiB or with descriptors flushes the
/// batch, and is sent immediately.
///
/// Dropping a batch tries to send its messages without waiting, and cannot report an error: call
/// [`flush`](Self::flush) first. In a forked copy of the process, dropping sends nothing, because the parent
/// sends the messages.
///
/// ```
/// use datagrammar::{Batch, Connection, Message, Wait};
///
/// #[derive(Message)]
/// enum Sample {
///     #[message(tag = 1)]
///     Load(f32),
/// }
///
/// let (ours, mut theirs) = Connection::<Sample, Sample>::pair()?;
/// let (tx, _rx) = ours.split();
/// let mut batch = Batch::new(tx);
/// for load in [0.1, 0.2, 0.3] {
///     batch.push(&Sample::Load(load), Wait::Block)?;
/// }
/// assert!(theirs.try_recv().is_err() && batch.len() == 3);
///
/// batch.flush(Wait::Block)?;
/// assert!(batch.is_empty() && batch.buffer().is_empty());
/// let Sample::Load(load) = theirs.recv()?.expect("a frame").decode()?;
/// assert_eq!(load, 0.1);
/// let _sender = batch.into_inner(Wait::Block).map_err(|(_batch, error)| error)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Batch<Tx: Message> {
    sender: Sender<Tx>,
    bundle: Bundle,
    /// The id of the process that sends it; a forked copy must not.
    process: u32,
}

impl<Tx: Message> Batch<Tx> {
    /// Creates an empty batch.
    #[must_use]
    pub fn new(sender: Sender<Tx>) -> Self {
        Self { sender, bundle: Bundle::default(), process: process::id() }
    }

    /// Returns the number of messages in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bundle.count()
    }

    /// Returns whether nothing waits to be sent: the batch has no message, and the sender has no
    /// [`pending`](Sender::pending) part of one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bundle.count() == 0 && self.sender.pending() == 0
    }

    /// Returns the frames in the batch, each after its length, as in a bundle of the [wire](crate::wire).
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        self.bundle.frames()
    }

    /// Adds a message. If it does not fit, flushes the batch first.
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many earlier messages were sent, and why the call failed. The reason is an error
    /// of [`Sender::send`], [`Sender::try_send`] or [`Sender::send_deadline`], as `wait` says. The new
    /// message was not added. Earlier messages that were not sent are still in the batch.
    pub fn push(&mut self, message: &Tx::Borrowed<'_>, wait: Wait) -> Result<(), SendAllError> {
        let mut sent = 0;
        let result = outbox::send(message, |outgoing| {
            let len = outgoing.len;
            let is_unbundled = !Bundle::admits(len, outgoing.descriptors.len());
            if is_unbundled || !self.bundle.has_room(len) {
                sent = self.send_all(wait).map_err(|stopped| stopped.error)?;
            }
            if is_unbundled {
                return self.sender.send_outgoing(outgoing, wait);
            }
            self.bundle.push(outgoing.slices, len);
            Ok(())
        });
        result.map(|_len| ()).map_err(|error| SendAllError { sent, error })
    }

    /// Sends the [`pending`](Sender::pending) rest of a message, if there is one, and all messages in the batch.
    /// Returns how many messages were in the batch.
    ///
    /// # Errors
    ///
    /// [`SendAllError`], with `sent` 0 and the reason: an error of [`Sender::send`], [`Sender::try_send`] or
    /// [`Sender::send_deadline`], as `wait` says. All messages are still in the batch.
    pub fn flush(&mut self, wait: Wait) -> Result<usize, SendAllError> {
        if self.bundle.count() == 0 {
            let flushed = self.sender.flush(wait);
            return flushed.map(|()| 0).map_err(|error| SendAllError { sent: 0, error });
        }
        self.send_all(wait)
    }

    fn send_all(&mut self, wait: Wait) -> Result<usize, SendAllError> {
        if self.bundle.count() == 0 {
            return Ok(0);
        }
        let datagram = self.bundle.datagram();
        let slices = [IoSlice::new(datagram)];
        let outgoing = Outgoing { slices: &slices, descriptors: &[], len: datagram.len() };
        self.sender
            .send_outgoing(outgoing, wait)
            .map_err(|error| SendAllError { sent: 0, error })?;
        Ok(self.bundle.clear())
    }

    /// Sends all messages, and returns the sender, which may still have a [`pending`](Sender::pending) rest of a
    /// message.
    ///
    /// # Errors
    ///
    /// The batch, and the error of [`flush`](Self::flush).
    pub fn into_inner(mut self, wait: Wait) -> Result<Sender<Tx>, (Self, SendAllError)> {
        match self.send_all(wait) {
            Ok(_) => Ok(self.sender.take()),
            Err(error) => Err((self, error)),
        }
    }
}

impl<Tx: Message> Drop for Batch<Tx> {
    fn drop(&mut self) {
        if !self.is_empty() && self.process == process::id() {
            // As documented: a drop cannot report an error.
            _ = self.flush(Wait::Try);
        }
    }
}

impl<Tx: Message> AsFd for Batch<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.sender.as_fd()
    }
}

impl<Tx: Message> AsRawFd for Batch<Tx> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<Tx: Message> fmt::Debug for Batch<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("sender", &self.sender)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
