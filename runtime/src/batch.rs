//! Messages that are collected, and sent together.

use std::fmt;
use std::io::IoSlice;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::process;

use crate::error::SendAllError;
use crate::message::Message;
use crate::outbox::{self, MAX_BUNDLED};
use crate::sender::Sender;
use crate::transport::Outgoing;
use crate::wait::Wait;
use crate::wire::{HEAD_LEN, Head, MAX_BUNDLE, frame_len_bytes, read_frame_len};

/// Collects messages of type `Tx`, and sends them together, in one datagram.
///
/// They are sent when [`flush`](Self::flush) is called, and when there is no more room for one in the
/// batch, which is 64 KiB long. Until then, nobody receives them. For messages that are all there, see
/// [`Sender::send_all`].
///
/// Each message is encoded once, when it is pushed. One over 16 KiB, and one with descriptors, is sent at
/// once, after those before it.
///
/// Dropping a batch sends what there is room for, and cannot tell what becomes of the rest: flush it
/// before. In a forked copy of the process, dropping it sends nothing, as the parent does.
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
/// let mut batch: Batch<Sample> = Batch::new(ours.tx);
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
    /// A bundle: room for its head, and the frames behind their lengths.
    bundle: Vec<u8>,
    count: usize,
    /// The process that sends it: a forked copy must not.
    process: u32,
}

impl<Tx: Message> Batch<Tx> {
    /// An empty batch.
    #[must_use]
    pub fn new(sender: Sender<Tx>) -> Self {
        Self { sender, bundle: Vec::new(), count: 0, process: process::id() }
    }

    /// How many messages are in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether all messages have been sent, none of them in part: see [`Sender::pending`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.sender.pending() == 0
    }

    /// The frames that have not been sent, each behind its length, as in a bundle of the
    /// [wire](crate::wire).
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        self.bundle.get(HEAD_LEN..).unwrap_or_default()
    }

    /// Adds a message. If there is no room for it, sends those before it first.
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many of those before were sent, and why the next one was not, as the form of
    /// [`Sender::send`] that waits in the same way. The message has not been added then. What was added
    /// before, and not sent, still is in the batch.
    pub fn push(&mut self, message: &Tx::Borrowed<'_>, wait: Wait) -> Result<(), SendAllError> {
        let mut sent = 0;
        let result = outbox::send(message, |outgoing| {
            let len = outgoing.len;
            let (bytes, bytes_len) = frame_len_bytes(len);
            let goes_alone = len > MAX_BUNDLED || !outgoing.descriptors.is_empty();
            let full_len = self.bundle.len().max(HEAD_LEN) + bytes_len + len;
            if goes_alone || full_len > MAX_BUNDLE {
                sent = self.send_all(wait).map_err(|stopped| stopped.error)?;
            }
            if goes_alone {
                return self.sender.send_outgoing(outgoing, wait);
            }
            if self.bundle.is_empty() {
                self.bundle.extend_from_slice(&[0; HEAD_LEN]);
            }
            self.bundle.extend_from_slice(bytes.get(..bytes_len).unwrap_or_default());
            for slice in outgoing.slices {
                self.bundle.extend_from_slice(slice);
            }
            self.count += 1;
            Ok(())
        });
        result.map(|_len| ()).map_err(|error| SendAllError { sent, error })
    }

    /// Sends all messages, and what is [`pending`](Sender::pending) of one that was tried. Returns how many
    /// were in the batch.
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many were sent, and why the others were not, as the form of
    /// [`Sender::send`] that waits in the same way. The others still are in the batch.
    pub fn flush(&mut self, wait: Wait) -> Result<usize, SendAllError> {
        if self.count == 0 {
            let flushed = self.sender.flush(wait);
            return flushed.map(|()| 0).map_err(|error| SendAllError { sent: 0, error });
        }
        self.send_all(wait)
    }

    fn send_all(&mut self, wait: Wait) -> Result<usize, SendAllError> {
        if self.count == 0 {
            return Ok(0);
        }
        let datagram = match self.count {
            1 => self.bundle.get(HEAD_LEN..).and_then(read_frame_len).map(|(_, frame)| frame),
            count => {
                if let Some(head) = self.bundle.first_chunk_mut() {
                    *head = Head::Bundle { count: count as u64 }.to_bytes();
                }
                Some(&*self.bundle)
            }
        };
        let datagram = datagram.unwrap_or_default();
        let slices = [IoSlice::new(datagram)];
        let outgoing = Outgoing { slices: &slices, descriptors: &[], len: datagram.len() };
        self.sender
            .send_outgoing(outgoing, wait)
            .map_err(|error| SendAllError { sent: 0, error })?;
        self.bundle.clear();
        Ok(mem::take(&mut self.count))
    }

    /// Sends all messages, and gives the sender back, with what is pending there.
    ///
    /// # Errors
    ///
    /// The batch, and why it could not be sent: see [`flush`](Self::flush).
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
            // As documented: nobody could be told.
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
            .field("len", &self.count)
            .finish_non_exhaustive()
    }
}
