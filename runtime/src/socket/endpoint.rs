//! A socket without a peer: opens it, sends to addresses and receives from them.

use std::fmt;
use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Instant;

use super::receiver::SocketReceiver;
use super::sender::SocketSender;
use super::shared::Shared;
use crate::address::Address;
use crate::error::{OpenError, RecvError, SendError};
use crate::frame::Frame;
use crate::message::Message;
use crate::options::Options;
use crate::sys::{self, DatagramFd};
use crate::transport::{self, PathGuard};

/// A socket that sends messages of type `Tx` to addresses, and receives messages of type `Rx` with
/// the sender's address.
///
/// It uses UNIX datagrams or UDP.
///
/// UNIX datagrams stay in order and are never lost: a full receiver blocks its senders. UDP datagrams may
/// be lost, duplicated and reordered. The kernel silently drops them if the receiver is slow:
/// [`drops`](Self::drops) counts them. Neither transport has an end. A datagram that is not a frame of this
/// protocol causes an error, and the next datagram can be received.
/// [`take_refused_sender`](SocketReceiver::take_refused_sender) says who sent it.
///
/// Over UNIX, a receiver queues `net.unix.max_dgram_qlen` datagrams of all its senders together (sysctl; 10 unless
/// changed), and one more. [`try_send_to`](Self::try_send_to) fails while that many wait, and one sender that floods holds
/// up the others. [`send_all_to`](SocketSender::send_all_to) puts more into each datagram.
///
/// There is no `connect`, unlike in the standard library: each send names its destination, and each receive returns
/// where its frame came from. Connected sockets lose datagrams when their peer closes.
///
/// ```
/// use datagrammar::{Message, Socket};
///
/// #[derive(Message, Debug)]
/// enum Sample {
///     #[message(tag = 1)]
///     Load(f32),
/// }
///
/// let mut receiver = Socket::<Sample, Sample>::bind(&"udp:127.0.0.1:0".parse()?)?;
/// let address = receiver.local_addr()?;
/// let mut sender = Socket::<Sample, Sample>::unbound(&address)?;
/// sender.send_to(&Sample::Load(0.5), &address)?;
///
/// let (frame, from) = receiver.recv_from()?;
/// assert!(matches!(frame.decode()?, Sample::Load(load) if load == 0.5));
/// assert!(from.as_udp().is_some_and(|from| from.ip().is_loopback()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[non_exhaustive]
pub struct Socket<Tx, Rx> {
    /// The sending half.
    pub tx: SocketSender<Tx>,
    /// The receiving half.
    pub rx: SocketReceiver<Rx>,
}

impl<Tx: Message, Rx: Message> Socket<Tx, Rx> {
    /// Binds to `address`, a `unix:` or `udp:` address. Paths work as for a
    /// [`Listener`](crate::Listener#paths).
    ///
    /// # Errors
    ///
    /// [`OpenError`]: `InUse`, `NotProbed`, `NotHere`, `NotASocket`, `NotALock`, `WrongFamily`,
    /// `Unsupported`, `Exhausted`, `Io`.
    pub fn bind(address: &Address) -> Result<Self, OpenError> {
        Self::bind_with(address, &Options::new())
    }

    /// Binds, with options: `mode`, `limits`, `identify_senders`, `recv_buffer`, `send_buffer`, `eager`.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind).
    pub fn bind_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        let (fd, path_guard) = transport::bind_datagram(address, options)?;
        Ok(Self::new(fd, path_guard, options))
    }

    /// Opens a client socket of the same family as `peer`. Servers can answer it: over UNIX, the kernel
    /// assigns an abstract name (unix(7), *Autobind feature*); over UDP, a port with the first message.
    ///
    /// Any process in the network namespace can send to that name, and any host that reaches the UDP port can send to
    /// that port. So check the address that an answer comes from.
    ///
    /// ```
    /// use datagrammar::{Message, Socket};
    ///
    /// #[derive(Message)]
    /// enum Count {
    ///     #[message(tag = 1)]
    ///     Count(u8),
    /// }
    ///
    /// let address = "unix:@datagrammar-doc-unbound".parse()?;
    /// let mut server = Socket::<Count, Count>::bind(&address)?;
    /// let mut client = Socket::<Count, Count>::unbound(&address)?;
    /// client.send_to(&Count::Count(1), &address)?;
    ///
    /// let (frame, from) = server.recv_from()?;
    /// let Count::Count(count) = frame.decode()?;
    /// server.send_to(&Count::Count(count + 1), &from)?;
    ///
    /// let (frame, from) = client.recv_from()?;
    /// assert_eq!(from, address);
    /// assert!(matches!(frame.decode()?, Count::Count(2)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`OpenError`]: `WrongFamily`, `Unsupported`, `Exhausted`, `Io`.
    pub fn unbound(peer: &Address) -> Result<Self, OpenError> {
        Ok(Self::new(transport::unbound_datagram(peer)?, None, &Options::new()))
    }

    pub(super) fn new(fd: DatagramFd, path_guard: Option<PathGuard>, options: &Options) -> Self {
        // For every message type: large frames travel in sealed memory.
        sys::accept_descriptors(fd.as_fd(), true);
        let shared = Arc::new(Shared::new(fd, path_guard));
        let tx = SocketSender::new(Arc::clone(&shared));
        Self { tx, rx: SocketReceiver::new(shared, options) }
    }

    /// Returns the descriptor, if both halves are of one socket: they are public, and can be swapped.
    pub(crate) fn whole_fd(&self) -> Option<&DatagramFd> {
        self.tx.fd().is_same(self.rx.fd()).then(|| self.rx.fd())
    }

    pub(crate) fn from_halves(tx: SocketSender<Tx>, rx: SocketReceiver<Rx>) -> Self {
        Self { tx, rx }
    }

    /// Returns both halves, which can be used independently.
    #[must_use]
    pub fn split(self) -> (SocketSender<Tx>, SocketReceiver<Rx>) {
        (self.tx, self.rx)
    }

    /// Sends a message to an address: see [`SocketSender::send_to`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketSender::send_to`].
    #[inline]
    pub fn send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.tx.send_to(message, to)
    }

    /// Sends a message if there is room now: see [`SocketSender::try_send_to`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketSender::try_send_to`].
    #[inline]
    pub fn try_send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.tx.try_send_to(message, to)
    }

    /// Sends a message, and waits for room until `deadline`: see [`SocketSender::send_to_deadline`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketSender::send_to_deadline`].
    #[inline]
    pub fn send_to_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.tx.send_to_deadline(message, to, deadline)
    }

    /// Receives the next frame and its sender's address: see [`SocketReceiver::recv_from`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketReceiver::recv_from`].
    #[inline]
    pub fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.recv_from()
    }

    /// Receives the next frame if one is queued: see [`SocketReceiver::try_recv_from`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketReceiver::try_recv_from`].
    #[inline]
    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.try_recv_from()
    }

    /// Receives the next frame, and waits for it until `deadline`: see
    /// [`SocketReceiver::recv_from_deadline`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketReceiver::recv_from_deadline`].
    #[inline]
    pub fn recv_from_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.recv_from_deadline(deadline)
    }

    /// Returns the address that the socket is bound to.
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<Address> {
        self.rx.local_addr()
    }

    /// Returns how many datagrams the kernel has dropped because the receive queue was full: see
    /// [`SocketReceiver::drops`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketReceiver::drops`].
    pub fn drops(&self) -> io::Result<u32> {
        self.rx.drops()
    }

    /// Shuts down the socket for every holder. Queued frames can still be received. After them, every receive
    /// fails with [`RecvError::Shutdown`], including those that are blocked.
    ///
    /// ```
    /// use datagrammar::{Message, RecvError, Socket};
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    ///
    /// let socket = Socket::<Ping, Ping>::bind(&"udp:127.0.0.1:0".parse()?)?;
    /// let (sender, mut receiver) = socket.split();
    /// let waiting = std::thread::spawn(move || receiver.recv_from().map(|_| ()));
    /// sender.shutdown()?;
    /// let ended = waiting.join().expect("no panic");
    /// assert!(matches!(ended, Err(RecvError::Shutdown)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of shutdown(2).
    pub fn shutdown(&self) -> io::Result<()> {
        self.tx.shutdown()
    }
}

impl<Tx, Rx> fmt::Debug for Socket<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("rx", &self.rx).finish_non_exhaustive()
    }
}
