//! Batches: messages collected one by one and sent together.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use super::outbound::Outbound;
use super::sender::Sender;
use crate::batch;
use crate::error::SendAllError;
use crate::message::Message;
use crate::wait::Wait;

/// Collects messages of type `Tx`, and sends them together in one datagram.
///
/// See [`Batch`](crate::Batch).
///
/// If a message is too long for one datagram, [`push`](Self::push) may return when only a part of it is sent. The next
/// call sends the rest, so [`flush`](Self::flush) before you wait for an answer.
///
/// Pushing and flushing are cancel-safe. If a future is dropped, each message was sent, is still in the batch, or was
/// not pushed.
///
/// ```
/// use datagrammar::Message;
/// use datagrammar::tokio::{Batch, Connection};
///
/// #[derive(Message)]
/// enum Sample {
///     #[message(tag = 1)]
///     Load(f32),
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (ours, mut theirs) = Connection::<Sample, Sample>::pair()?;
/// let (tx, _rx) = ours.split();
/// let mut batch = Batch::new(tx);
/// for load in [0.1, 0.2, 0.3] {
///     batch.push(&Sample::Load(load)).await?;
/// }
/// assert!(theirs.try_recv().is_err() && batch.len() == 3);
///
/// batch.flush().await?;
/// let Sample::Load(load) = theirs.recv().await?.expect("a frame").decode()?;
/// assert_eq!(load, 0.1);
/// # Ok(())
/// # }
/// ```
pub struct Batch<Tx: Message> {
    inner: batch::Batch<Tx>,
    outbound: Outbound,
}

impl<Tx: Message> Batch<Tx> {
    /// Creates an empty batch.
    #[must_use]
    pub fn new(sender: Sender<Tx>) -> Self {
        let Sender { inner, outbound } = sender;
        Self { inner: batch::Batch::new(inner), outbound }
    }

    /// Returns the number of messages in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Returns whether nothing waits to be sent: see [`Batch::is_empty`](crate::Batch::is_empty).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Returns the frames in the batch: see [`Batch::buffer`](crate::Batch::buffer).
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        self.inner.buffer()
    }

    /// Adds a message. If it does not fit, flushes the batch first.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::push`](crate::Batch::push).
    pub async fn push(&mut self, message: &Tx::Borrowed<'_>) -> Result<(), SendAllError> {
        let Self { inner, outbound } = self;
        let push = || inner.push(message, Wait::Try).map(|()| 0);
        outbound.write_batch(push).await.map(|_| ())
    }

    /// Adds a message. If it does not fit, flushes the batch first, if there is room now.
    ///
    /// # Errors
    ///
    /// Those of [`push`](Self::push), and [`SendError::WouldBlock`](crate::SendError::WouldBlock).
    pub fn try_push(&mut self, message: &Tx::Borrowed<'_>) -> Result<(), SendAllError> {
        self.inner.push(message, Wait::Try)
    }

    /// Sends the [`pending`](Sender::pending) rest of a message, if there is one, and all messages in the batch.
    /// Returns how many messages were in the batch.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::flush`](crate::Batch::flush).
    pub async fn flush(&mut self) -> Result<usize, SendAllError> {
        let Self { inner, outbound } = self;
        let sent = outbound.write_batch(|| inner.flush(Wait::Try)).await?;
        // A message that is sent alone may still be pending.
        outbound.write_batch(|| inner.flush(Wait::Try)).await?;
        Ok(sent)
    }

    /// Sends the [`pending`](Sender::pending) rest of a message and all messages in the batch, as far as there is room.
    ///
    /// # Errors
    ///
    /// Those of [`flush`](Self::flush), and [`SendError::WouldBlock`](crate::SendError::WouldBlock).
    pub fn try_flush(&mut self) -> Result<usize, SendAllError> {
        self.inner.flush(Wait::Try)
    }

    /// Sends all messages, and returns the sender, which may still have a [`pending`](Sender::pending) rest of a
    /// message.
    ///
    /// If the future is dropped, the batch is dropped too: it then tries to send its messages without waiting.
    ///
    /// # Errors
    ///
    /// The batch, and the error of [`flush`](Self::flush).
    pub async fn into_inner(mut self) -> Result<Sender<Tx>, (Self, SendAllError)> {
        // The sender keeps its pending rest, unless messages must follow it.
        if !self.buffer().is_empty() {
            let Self { inner, outbound } = &mut self;
            if let Err(error) = outbound.write_batch(|| inner.flush(Wait::Try)).await {
                return Err((self, error));
            }
        }
        let Self { inner, outbound } = self;
        match inner.into_inner(Wait::Try) {
            Ok(sender) => Ok(Sender::new(sender, outbound)),
            Err((inner, error)) => Err((Self { inner, outbound }, error)),
        }
    }
}

impl<Tx: Message> AsFd for Batch<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Tx: Message> AsRawFd for Batch<Tx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Tx: Message> fmt::Debug for Batch<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Batch").field(&self.inner).finish()
    }
}
