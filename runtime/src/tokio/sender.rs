//! The sending half of a connection.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Instant;

use ::tokio::time::timeout_at;

use super::outbound::Outbound;
use crate::error::{SendAllError, SendError};
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::sender;
use crate::wait::Wait;

/// The sending half of a [`Connection`](super::Connection), for messages of type `Tx`.
///
/// Sending is cancel-safe. If a future is dropped before its frame has begun, the frame is not sent. A large
/// frame that has begun is [`pending`](Self::pending): the next call of any method that sends completes it, and
/// so does [`flush`](Self::flush).
///
/// Over vsock, the kernel does not report how much room there is. If there is room for a part of a datagram,
/// sending blocks the thread until the peer has read enough, even past a deadline. If a vsock peer may stop
/// reading, send from a dedicated thread.
///
/// To send from many tasks, put a queue in front of the sender: see [`into_queue`](Self::into_queue).
pub struct Sender<Tx> {
    pub(super) inner: sender::Sender<Tx>,
    pub(super) outbound: Outbound,
}

impl<Tx: Message> Sender<Tx> {
    pub(super) fn new(inner: sender::Sender<Tx>, outbound: Outbound) -> Self {
        Self { inner, outbound }
    }

    /// Sends a message, and waits for room. Returns the frame's length in bytes. See
    /// [`Sender::send`](crate::Sender::send).
    ///
    /// A large frame travels in pieces, and other tasks can run between them.
    ///
    /// # Errors
    ///
    /// Those of [`Sender::send`](crate::Sender::send).
    pub async fn send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        let Self { inner, outbound } = self;
        let len = outbound.write(|| inner.try_send(message)).await?;
        if self.pending() > 0 {
            self.flush().await?;
        }
        Ok(len)
    }

    /// Sends a message if there is room now. See [`Sender::try_send`](crate::Sender::try_send).
    ///
    /// # Errors
    ///
    /// Those of [`Sender::try_send`](crate::Sender::try_send).
    pub fn try_send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.inner.try_send(message)
    }

    /// Sends a message, and waits for room until `deadline`. If the deadline passes after a large frame has
    /// begun, this returns its length as a success, and the rest is [`pending`](Self::pending).
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), and [`SendError::TimedOut`]: the message was not sent.
    pub async fn send_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        let Self { inner, outbound } = self;
        let len = outbound.write_until(deadline, || inner.try_send(message)).await?;
        timeout_at(deadline.into(), self.flush()).await.unwrap_or(Ok(())).map(|()| len)
    }

    /// Sends messages in order, in as few datagrams as possible. Returns how many it sent. See
    /// [`Sender::send_all`](crate::Sender::send_all).
    ///
    /// If the future is dropped, some of the messages may have been sent, from the first one on. Use a
    /// [`Batch`](super::Batch) to know which.
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many messages were sent, and why the next one was not.
    pub async fn send_all<'m, 'b, I>(&mut self, messages: I) -> Result<usize, SendAllError>
    where
        I: IntoIterator<Item = &'m Tx::Borrowed<'b>, IntoIter: Clone>,
        Tx::Borrowed<'b>: 'm,
    {
        let Self { inner, outbound } = self;
        let send = |messages| inner.try_send_first(messages);
        let sent = outbound.write_all(messages.into_iter(), send).await?;
        self.flush().await.map(|()| sent).map_err(|error| SendAllError { sent, error })
    }

    /// Sends messages in order, in as few datagrams as possible, while there is room. Returns how many it sent.
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many messages were sent, and why the next one was not, such as
    /// [`SendError::WouldBlock`].
    pub fn try_send_all<'m, 'b>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Tx::Borrowed<'b>>,
    ) -> Result<usize, SendAllError>
    where
        Tx::Borrowed<'b>: 'm,
    {
        self.inner.send_all(messages, Wait::Try)
    }

    /// Sends an encoded or received frame. Returns its length in bytes. See
    /// [`Sender::send_frame`](crate::Sender::send_frame).
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), and [`SendError::DescriptorsTaken`].
    pub async fn send_frame(&mut self, frame: &OwnedFrame<Tx>) -> Result<usize, SendError> {
        let Self { inner, outbound } = self;
        let len = outbound.write(|| inner.send_frame(frame, Wait::Try)).await?;
        self.flush().await.map(|()| len)
    }

    /// Sends an encoded or received frame if there is room now. The rest of a large one is
    /// [`pending`](Self::pending).
    ///
    /// # Errors
    ///
    /// Those of [`send_frame`](Self::send_frame), and [`SendError::WouldBlock`].
    pub fn try_send_frame(&mut self, frame: &OwnedFrame<Tx>) -> Result<usize, SendError> {
        self.inner.send_frame(frame, Wait::Try)
    }

    /// Returns how many bytes of a large frame that has begun are still unsent. See
    /// [`Sender::pending`](crate::Sender::pending).
    #[must_use]
    pub fn pending(&self) -> usize {
        self.inner.pending()
    }

    /// Sends the [`pending`](Self::pending) rest of a large frame.
    ///
    /// # Errors
    ///
    /// Those of [`Sender::flush`](crate::Sender::flush).
    pub async fn flush(&mut self) -> Result<(), SendError> {
        if self.pending() == 0 {
            return Ok(());
        }
        let Self { inner, outbound } = self;
        outbound.write(|| inner.flush(Wait::Try)).await
    }

    /// Sends as much of the [`pending`](Self::pending) rest as there is room for.
    ///
    /// # Errors
    ///
    /// Those of [`flush`](Self::flush), and [`SendError::WouldBlock`]: the rest is still pending.
    pub fn try_flush(&mut self) -> Result<(), SendError> {
        self.inner.flush(Wait::Try)
    }

    /// Shuts down one or both directions of the connection for every holder. See
    /// [`Sender::shutdown`](crate::Sender::shutdown).
    ///
    /// # Errors
    ///
    /// The errors of shutdown(2), such as `NotConnected` if the connection has ended.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inner.shutdown(how)
    }

    /// Returns the blocking sender, with the [`pending`](Self::pending) rest of a frame, if there is one.
    #[must_use]
    pub fn into_blocking(self) -> sender::Sender<Tx> {
        self.inner
    }
}

impl<Tx> AsFd for Sender<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Tx> AsRawFd for Sender<Tx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Tx> fmt::Debug for Sender<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.inner).finish()
    }
}
