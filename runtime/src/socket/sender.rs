//! The sending half of an unconnected socket.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use super::Shared;
use crate::address::Address;
use crate::error::SendError;
use crate::message::Message;
use crate::outbox;
use crate::transport::transmit_to;
use crate::wait::Wait;

/// The sending half of a [`Socket`](crate::Socket), for messages of type `Tx`. A clone sends from
/// the same socket.
///
/// ```
/// use datagrammar::{Message, Socket, SocketReceiver, SocketSender};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping(u8),
/// }
///
/// let socket = Socket::<Ping, Ping>::bind(&"unix:@datagrammar-doc-halves".parse()?)?;
/// let address = socket.local_addr()?;
/// let (mut sender, mut receiver): (SocketSender<Ping>, SocketReceiver<Ping>) = socket.split();
/// sender.clone().send_to(&Ping::Ping(1), &address)?;
/// let (frame, from) = receiver.recv_from()?;
/// let Ping::Ping(number) = frame.decode()?;
/// sender.send_to(&Ping::Ping(number + 1), &from)?;
/// assert!(matches!(receiver.try_recv_from()?.0.decode()?, Ping::Ping(2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SocketSender<Tx> {
    shared: Arc<Shared>,
    message: PhantomData<fn(Tx)>,
}

impl<Tx: Message> SocketSender<Tx> {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, message: PhantomData }
    }

    /// Sends a message to the socket at `to`, waiting for room as long as it takes. Returns the
    /// frame's length in bytes.
    ///
    /// # Errors
    ///
    /// [`SendError::Disconnected`] when it has been shut down for receiving (UNIX);
    /// [`SendError::Refused`] when nobody receives there (UNIX; over UDP nobody tells),
    /// [`SendError::TooLarge`] over UDP, [`SendError::Encode`], [`SendError::Io`]; for a message with
    /// descriptors as [`Sender::send`](crate::Sender::send).
    #[inline]
    pub fn send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.send(message, to, Wait::Block)
    }

    /// Sends a message if there is room now.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to), and [`SendError::WouldBlock`].
    #[inline]
    pub fn try_send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.send(message, to, Wait::Try)
    }

    /// Sends a message, waiting for room until `deadline` at most. Over UNIX, where the kernel
    /// cannot tell when a receiver has room, it tries at least every 10 ms.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to), and [`SendError::TimedOut`].
    #[inline]
    pub fn send_to_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.send(message, to, Wait::Until(deadline))
    }

    #[inline]
    fn send(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
        wait: Wait,
    ) -> Result<usize, SendError> {
        let fd = &self.shared.fd;
        outbox::send(message, |parcel| transmit_to(fd, parcel, to.name(), wait))
    }
}

impl<Tx: Message> Clone for SocketSender<Tx> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
    }
}

impl<Tx> AsFd for SocketSender<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.fd.as_fd()
    }
}

impl<Tx> fmt::Debug for SocketSender<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketSender").field("fd", &self.as_fd()).finish_non_exhaustive()
    }
}
