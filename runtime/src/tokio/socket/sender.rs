//! The sending half of an unconnected socket.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Instant;

use crate::address::Address;
use crate::error::{SendAllError, SendError};
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::socket;
use crate::tokio::outbound::Outbound;
use crate::wait::Wait;

/// The sending half of a [`Socket`](super::Socket), for messages of type `Tx`.
///
/// Clones send from the same socket, also from different tasks.
///
/// If a future is dropped, its message was either sent whole or not at all. Over UNIX, the kernel does not report when
/// a receiver has room, so sending to a full receiver tries again at least every 10 ms.
pub struct SocketSender<Tx> {
    inner: socket::SocketSender<Tx>,
    outbound: Outbound,
}

impl<Tx: Message> SocketSender<Tx> {
    pub(super) fn new(inner: socket::SocketSender<Tx>, outbound: Outbound) -> Self {
        Self { inner, outbound }
    }

    /// Sends a message to the socket at `to`, and waits for room. Returns the frame's length in bytes. See
    /// [`SocketSender::send_to`](crate::SocketSender::send_to).
    ///
    /// # Errors
    ///
    /// Those of [`SocketSender::send_to`](crate::SocketSender::send_to).
    pub async fn send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        let Self { inner, outbound } = self;
        outbound.write(|| inner.try_send_to(message, to)).await
    }

    /// Sends a message if there is room now.
    ///
    /// # Errors
    ///
    /// Those of [`send_to`](Self::send_to), and [`SendError::WouldBlock`].
    pub fn try_send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.inner.try_send_to(message, to)
    }

    /// Sends a message, and waits for room until `deadline`.
    ///
    /// # Errors
    ///
    /// Those of [`send_to`](Self::send_to), and [`SendError::TimedOut`].
    pub async fn send_to_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        let Self { inner, outbound } = self;
        outbound.write_until(deadline, || inner.try_send_to(message, to)).await
    }

    /// Sends several messages in order to one address, in few datagrams. Returns how many it sent. See
    /// [`SocketSender::send_all_to`](crate::SocketSender::send_all_to).
    ///
    /// If the future is dropped, some of the messages may have been sent, from the first one on.
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many messages were sent, and why the next one was not.
    pub async fn send_all_to<'m, 'b, I>(
        &mut self,
        messages: I,
        to: &Address,
    ) -> Result<usize, SendAllError>
    where
        I: IntoIterator<Item = &'m Tx::Borrowed<'b>, IntoIter: Clone>,
        Tx::Borrowed<'b>: 'm,
    {
        let Self { inner, outbound } = self;
        let send = |messages| inner.try_send_first_to(messages, to);
        outbound.write_all(messages.into_iter(), send).await
    }

    /// Sends several messages in order to one address, while there is room. Returns how many it sent.
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many messages were sent, and why the next one was not, such as
    /// [`SendError::WouldBlock`].
    pub fn try_send_all_to<'m, 'b>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Tx::Borrowed<'b>>,
        to: &Address,
    ) -> Result<usize, SendAllError>
    where
        Tx::Borrowed<'b>: 'm,
    {
        self.inner.send_all_to(messages, to, Wait::Try)
    }

    /// Sends an already encoded or received frame. Returns its length in bytes.
    ///
    /// # Errors
    ///
    /// Those of [`send_to`](Self::send_to), and [`SendError::DescriptorsTaken`].
    pub async fn send_frame_to(
        &mut self,
        frame: &OwnedFrame<Tx>,
        to: &Address,
    ) -> Result<usize, SendError> {
        let Self { inner, outbound } = self;
        outbound.write(|| inner.send_frame_to(frame, to, Wait::Try)).await
    }

    /// Sends an already encoded or received frame if there is room now.
    ///
    /// # Errors
    ///
    /// Those of [`send_frame_to`](Self::send_frame_to), and [`SendError::WouldBlock`].
    pub fn try_send_frame_to(
        &mut self,
        frame: &OwnedFrame<Tx>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.inner.send_frame_to(frame, to, Wait::Try)
    }

    /// Shuts down the socket: see [`Socket::shutdown`](super::Socket::shutdown).
    ///
    /// # Errors
    ///
    /// Those of [`Socket::shutdown`](super::Socket::shutdown).
    pub fn shutdown(&self) -> io::Result<()> {
        self.inner.shutdown()
    }

    /// Returns the blocking half.
    #[must_use]
    pub fn into_blocking(self) -> socket::SocketSender<Tx> {
        self.inner
    }
}

impl<Tx: Message> Clone for SocketSender<Tx> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), outbound: self.outbound.clone() }
    }
}

impl<Tx> AsFd for SocketSender<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Tx> AsRawFd for SocketSender<Tx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Tx> fmt::Debug for SocketSender<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SocketSender").field(&self.inner).finish()
    }
}
