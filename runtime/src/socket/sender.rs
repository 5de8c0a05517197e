//! The sending half of an unconnected socket.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Instant;

use super::shared::Shared;
use crate::address::Address;
use crate::error::{SendAllError, SendError};
use crate::message::Message;
use crate::outbox;
use crate::owned_frame::OwnedFrame;
use crate::sys::{DatagramFd, Kind};
use crate::transport::{Outgoing, Route, send_to};
use crate::wait::Wait;
use crate::wire::{MAX_BUNDLE, MAX_UDP_BUNDLE};

/// The sending half of a [`Socket`](crate::Socket), for messages of type `Tx`.
///
/// Clones send from the same socket.
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

    pub(super) fn fd(&self) -> &DatagramFd {
        &self.shared.fd
    }

    /// Sends a message to the socket at `to`, and waits for room as long as necessary. Returns the frame's
    /// length in bytes.
    ///
    /// Over UNIX, a large frame is written to a memory file. `RLIMIT_FSIZE` limits its length: see
    /// [`SharedBytes::new`](crate::SharedBytes::new).
    ///
    /// # Errors
    ///
    /// [`SendError::Refused`] if nobody receives there, or if the receiver has shut down (over UNIX; over UDP, there is
    /// no error); [`SendError::Disconnected`] if this socket was shut down; [`SendError::NoAddress`] for the address of
    /// a socket that is not bound; [`SendError::WrongFamily`] for an address of another family;
    /// [`SendError::TooLarge`] over UDP; [`SendError::Encode`]; [`SendError::Io`], which is not
    /// [fatal](SendError::is_fatal) if it concerns the destination; for a message with descriptors, also those of
    /// [`Sender::send`](crate::Sender::send).
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
    /// Those of [`send_to`](Self::send_to), and [`SendError::WouldBlock`].
    #[inline]
    pub fn try_send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.send(message, to, Wait::Try)
    }

    /// Sends a message, and waits for room until `deadline`. Over UNIX, the kernel cannot report when the
    /// receiver has room, so this method tries again at least every 10 ms.
    ///
    /// # Errors
    ///
    /// Those of [`send_to`](Self::send_to), and [`SendError::TimedOut`].
    #[inline]
    pub fn send_to_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.send(message, to, Wait::Until(deadline))
    }

    /// Sends several messages in order to one address, in few datagrams: small messages share a *bundle* of
    /// up to 64 KiB over UNIX, and of up to 1,232 bytes over UDP, which every IPv6 network carries
    /// unfragmented (RFC 8200). A message over 16 KiB or with descriptors gets its own datagram. Returns the
    /// number of messages sent.
    ///
    /// ```
    /// use datagrammar::{Message, Socket, Wait};
    ///
    /// #[derive(Message)]
    /// enum Sample {
    ///     #[message(tag = 1)]
    ///     Load(u32),
    /// }
    ///
    /// let mut receiver = Socket::<Sample, Sample>::bind(&"udp:127.0.0.1:0".parse()?)?;
    /// let address = receiver.local_addr()?;
    /// let mut sender = Socket::<Sample, Sample>::unbound(&address)?;
    /// let samples = [Sample::Load(1), Sample::Load(2), Sample::Load(3)];
    /// assert_eq!(sender.tx.send_all_to(&samples, &address, Wait::Block)?, 3);
    /// for expected in 1..=3 {
    ///     let (frame, _from) = receiver.recv_from()?;
    ///     assert!(matches!(frame.decode()?, Sample::Load(load) if load == expected));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many messages were sent, and why the next one was not. The reason is an error of
    /// [`send_to`](Self::send_to), [`try_send_to`](Self::try_send_to) or
    /// [`send_to_deadline`](Self::send_to_deadline), as `wait` says. If UDP loses a bundle, it loses all of
    /// the bundle's messages.
    pub fn send_all_to<'m, 'b>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Tx::Borrowed<'b>>,
        to: &Address,
        wait: Wait,
    ) -> Result<usize, SendAllError>
    where
        Tx::Borrowed<'b>: 'm,
    {
        let send =
            |outgoing: Outgoing<'_>, is_bundle| self.send_datagram(outgoing, is_bundle, to, wait);
        outbox::send_all(messages, self.max_bundle(), send)
    }

    /// Sends the first of `messages` in one datagram, if there is room now. Returns how many it sent.
    #[cfg(feature = "tokio")]
    pub(crate) fn try_send_first_to<'m, 'b>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Tx::Borrowed<'b>>,
        to: &Address,
    ) -> Result<usize, SendAllError>
    where
        Tx::Borrowed<'b>: 'm,
    {
        let send = |outgoing: Outgoing<'_>, is_bundle| {
            self.send_datagram(outgoing, is_bundle, to, Wait::Try)
        };
        outbox::send_first(messages, self.max_bundle(), send)
    }

    /// Returns the most bytes of a bundle.
    fn max_bundle(&self) -> usize {
        let fd = &self.shared.fd;
        match fd.kind() {
            Kind::Udp4 | Kind::Udp6 => MAX_UDP_BUNDLE,
            _ => fd.max_send_len().unwrap_or(0).min(MAX_BUNDLE),
        }
    }

    fn send_datagram(
        &self,
        outgoing: Outgoing<'_>,
        is_bundle: bool,
        to: &Address,
        wait: Wait,
    ) -> Result<(), SendError> {
        let route = self.route(to, wait);
        match is_bundle {
            // A bundle is never too long for a datagram of the socket.
            true => route.send_with_retries(outgoing),
            false => send_to(route, outgoing),
        }
    }

    /// Sends an already encoded or received frame. Returns its length in bytes.
    ///
    /// # Errors
    ///
    /// Those of [`send_to`](Self::send_to), [`try_send_to`](Self::try_send_to) or
    /// [`send_to_deadline`](Self::send_to_deadline), as `wait` says; [`SendError::DescriptorsTaken`] if the
    /// frame was decoded and had descriptors.
    pub fn send_frame_to(
        &mut self,
        frame: &OwnedFrame<Tx>,
        to: &Address,
        wait: Wait,
    ) -> Result<usize, SendError> {
        frame.send(|outgoing| send_to(self.route(to, wait), outgoing))
    }

    /// Shuts down the socket: see [`Socket::shutdown`](crate::Socket::shutdown).
    ///
    /// # Errors
    ///
    /// Those of [`Socket::shutdown`](crate::Socket::shutdown).
    pub fn shutdown(&self) -> io::Result<()> {
        self.shared.shutdown()
    }

    #[inline]
    fn send(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
        wait: Wait,
    ) -> Result<usize, SendError> {
        outbox::send(message, |outgoing| send_to(self.route(to, wait), outgoing))
    }

    #[inline]
    fn route<'r>(&'r self, to: &'r Address, wait: Wait) -> Route<'r> {
        Route { fd: &self.shared.fd, to: Some(to.name()), wait }
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

impl<Tx> AsRawFd for SocketSender<Tx> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
