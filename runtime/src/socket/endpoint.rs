//! A socket that has no peer: it sends to addresses, and receives from them.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
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
use crate::sys::DatagramFd;
use crate::transport::{self, Claim};

/// A socket that sends messages of type `Tx` to addresses, and receives messages of type `Rx` with
/// the address of each. Over UNIX datagrams and UDP.
///
/// UNIX datagrams are kept in order and never lost: a full receiver blocks its senders. UDP datagrams
/// may be lost, doubled and reordered, and are lost in silence when the receiver is slow:
/// [`drops`](Self::drops) tells how many. Neither has an end. A datagram that is not a frame of this
/// protocol is an error of its own, and the next can be received.
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
    /// Binds to `address`, which is a `unix:` or `udp:` one, to receive there. Takes a path as a
    /// [`Listener`](crate::Listener#paths) does.
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
    /// As [`bind`](Self::bind).
    pub fn bind_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        let (fd, claim) = transport::bind_datagram(address, options)?;
        Ok(Self::new(fd, claim, options))
    }

    /// Opens a socket of the same family as `peer`, to ask from. It can be answered: over UNIX, the kernel
    /// gives it an abstract name (unix(7), *Autobind feature*); over UDP, a port with the first message.
    ///
    /// Anybody in the network namespace can send to such a name, as to a port: look at the address that an
    /// answer came from.
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

    /// Takes over a descriptor that was made elsewhere: a UNIX datagram or UDP socket that is not
    /// connected. Checks what it is, and resets its peek offset, which another holder may have set.
    ///
    /// A connected socket is refused: when its peer goes away, the kernel empties its receive queue
    /// (UNIX), or fails every other send (UDP).
    ///
    /// # Errors
    ///
    /// [`OpenError::WrongDescriptor`], which says what the descriptor is; [`OpenError::Exhausted`];
    /// [`OpenError::Io`].
    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::adopt_with(fd, &Options::new())
    }

    /// Takes over a descriptor, with options: `limits`, `identify_senders`, `recv_buffer`, `send_buffer`,
    /// `eager`. A UNIX socket that has `SO_PASSCRED` set identifies its senders without the option too.
    ///
    /// # Errors
    ///
    /// As [`adopt`](Self::adopt), and `WrongFamily` for `identify_senders` over UDP.
    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        Ok(Self::new(transport::adopt_datagram(fd, options)?, None, options))
    }

    fn new(fd: DatagramFd, claim: Option<Claim>, options: &Options) -> Self {
        // Whatever the type: large frames travel as memory.
        fd.accept_descriptors(true);
        let shared = Arc::new(Shared::new(fd, claim));
        let tx = SocketSender::new(Arc::clone(&shared));
        Self { tx, rx: SocketReceiver::new(shared, options) }
    }

    /// The two directions, to be used independently.
    #[must_use]
    pub fn split(self) -> (SocketSender<Tx>, SocketReceiver<Rx>) {
        (self.tx, self.rx)
    }

    /// Sends a message to an address: [`SocketSender::send_to`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.tx.send_to(message, to)
    }

    /// Sends a message if there is room now: [`SocketSender::try_send_to`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.tx.try_send_to(message, to)
    }

    /// Sends a message until `deadline` at most: [`SocketSender::send_to_deadline`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn send_to_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.tx.send_to_deadline(message, to, deadline)
    }

    /// Receives the next frame and who sent it: [`SocketReceiver::recv_from`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.recv_from()
    }

    /// Receives the next frame if it is there: [`SocketReceiver::try_recv_from`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.try_recv_from()
    }

    /// Receives the next frame until `deadline` at most: [`SocketReceiver::recv_from_deadline`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn recv_from_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.recv_from_deadline(deadline)
    }

    /// The address that the socket is bound to.
    ///
    /// # Errors
    ///
    /// Of the system call.
    pub fn local_addr(&self) -> io::Result<Address> {
        self.rx.local_name().map(Address::from)
    }

    /// How many datagrams the kernel has dropped because the receive queue was full:
    /// [`SocketReceiver::drops`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn drops(&self) -> io::Result<u32> {
        self.rx.drops()
    }

    /// Shuts the socket down, for every holder of it. A blocked `recv_from` ends, with
    /// [`RecvError::Shutdown`] once the queued frames are received.
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
    /// Of the system call.
    pub fn shutdown(&self) -> io::Result<()> {
        self.tx.shutdown()
    }
}

impl<Tx, Rx> AsFd for Socket<Tx, Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.rx.as_fd()
    }
}

impl<Tx, Rx> fmt::Debug for Socket<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("rx", &self.rx).finish_non_exhaustive()
    }
}

impl<Tx, Rx> AsRawFd for Socket<Tx, Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
