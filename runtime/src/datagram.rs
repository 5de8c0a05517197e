//! Sockets by themselves: no connection, every frame with an address.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use crate::address::Address;
use crate::error::{OpenError, RecvError, SendError};
use crate::frame::Frame;
use crate::limits::Limits;
use crate::message::Message;
use crate::options::Options;
use crate::outbox::Outbox;
use crate::socket::{self, Claim, Wait};
use crate::sys::DatagramFd;

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
/// let address = receiver.local_address()?;
/// let mut sender = Socket::<Sample, Sample>::unbound(&address)?;
/// sender.send_to(&Sample::Load(0.5), &address)?;
///
/// let (frame, from) = receiver.recv_from()?;
/// assert!(matches!(frame.decode()?, Sample::Load(load) if load == 0.5));
/// assert!(from.as_udp().is_some_and(|from| from.ip().is_loopback()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Socket<Tx, Rx> {
    sender: SocketSender<Tx>,
    receiver: SocketReceiver<Rx>,
}

/// The sending half of a [`Socket`], for messages of type `Tx`. A clone sends from the same socket.
pub struct SocketSender<Tx> {
    shared: Arc<Shared>,
    outbox: Outbox,
    message: PhantomData<fn(Tx)>,
}

/// The receiving half of a [`Socket`], for messages of type `Rx`.
pub struct SocketReceiver<Rx> {
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    limits: Limits,
    message: PhantomData<fn() -> Rx>,
}

struct Shared {
    fd: DatagramFd,
    /// Given up after the descriptor is closed.
    _claim: Option<Claim>,
}

impl<Tx: Message, Rx: Message> Socket<Tx, Rx> {
    /// Binds to `address`, a `unix:` or `udp:` one, to receive there. A path is taken as by a
    /// [`Listener`](crate::Listener#paths).
    ///
    /// # Errors
    ///
    /// [`OpenError`]: `InUse`, `NotASocket`, `WrongFamily`, `Exhausted`, `Io`.
    pub fn bind(address: &Address) -> Result<Self, OpenError> {
        Self::bind_with(address, &Options::new())
    }

    /// As [`bind`](Self::bind), with options: `mode`, `limits`.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        let (fd, claim) = socket::open_datagram(address, Some(options))?;
        Ok(Self::new(fd, claim, options.limits))
    }

    /// A socket of the same family as `peer`, bound to nothing, to send from. Over UNIX, nobody can
    /// answer it; over UDP, the kernel gives it a port with the first message.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: `WrongFamily`, `Exhausted`, `Io`.
    pub fn unbound(peer: &Address) -> Result<Self, OpenError> {
        let (fd, claim) = socket::open_datagram(peer, None)?;
        Ok(Self::new(fd, claim, Limits::default()))
    }

    /// Takes over a descriptor that was made elsewhere: a UNIX datagram or UDP socket that is not
    /// connected. It is checked, and its peek offset reset, as a shared one may have been set.
    ///
    /// A connected one is refused: when its peer goes away, the kernel empties its receive queue
    /// (UNIX), or fails every other send (UDP).
    ///
    /// # Errors
    ///
    /// [`OpenError::WrongDescriptor`], saying what it is; [`OpenError::Io`].
    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Ok(Self::new(socket::adopt(fd, false)?, None, Limits::default()))
    }

    fn new(fd: DatagramFd, claim: Option<Claim>, limits: Limits) -> Self {
        let shared = Arc::new(Shared { fd, _claim: claim });
        Self {
            sender: SocketSender::new(Arc::clone(&shared)),
            receiver: SocketReceiver { shared, buffer: Vec::new(), limits, message: PhantomData },
        }
    }

    /// The two directions, to be used independently.
    #[must_use]
    pub fn split(self) -> (SocketSender<Tx>, SocketReceiver<Rx>) {
        (self.sender, self.receiver)
    }

    /// Sends a message to an address: [`SocketSender::send_to`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn send_to(&mut self, message: &Tx::Borrowed<'_>, to: &Address) -> Result<usize, SendError> {
        self.sender.send_to(message, to)
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
        self.sender.try_send_to(message, to)
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
        self.sender.send_to_deadline(message, to, deadline)
    }

    /// Receives the next frame and who sent it: [`SocketReceiver::recv_from`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.receiver.recv_from()
    }

    /// Receives the next frame if it is there: [`SocketReceiver::try_recv_from`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.receiver.try_recv_from()
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
        self.receiver.recv_from_deadline(deadline)
    }

    /// The address that the socket is bound to.
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`].
    pub fn local_address(&self) -> Result<Address, OpenError> {
        socket::address(self.receiver.shared.fd.local_name())
    }

    /// How many datagrams the kernel has dropped because the receive queue was full:
    /// [`SocketReceiver::drops`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn drops(&self) -> Result<u32, RecvError> {
        self.receiver.drops()
    }

    /// Changes what is received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.receiver.set_limits(limits);
    }
}

impl<Tx: Message> SocketSender<Tx> {
    fn new(shared: Arc<Shared>) -> Self {
        Self { shared, outbox: Outbox::default(), message: PhantomData }
    }

    /// Sends a message to the socket at `to`, waiting for room as long as it takes. Returns the
    /// frame's length in bytes.
    ///
    /// # Errors
    ///
    /// [`SendError::Refused`] when nobody receives there (UNIX; over UDP nobody tells),
    /// [`SendError::TooLarge`], [`SendError::Encode`], [`SendError::Io`].
    #[inline]
    pub fn send_to(&mut self, message: &Tx::Borrowed<'_>, to: &Address) -> Result<usize, SendError> {
        self.outbox.send(&self.shared.fd, message, Some(to.name()), Wait::Block)
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
        self.outbox.send(&self.shared.fd, message, Some(to.name()), Wait::Try)
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
        self.outbox.send(&self.shared.fd, message, Some(to.name()), Wait::Until(deadline))
    }
}

impl<Rx: Message> SocketReceiver<Rx> {
    /// Receives the next frame and the address that it came from, waiting as long as it takes.
    ///
    /// # Errors
    ///
    /// [`RecvError::TooLarge`] for a frame over the limit, and [`RecvError::Empty`] for an empty
    /// datagram, both of which are dropped; [`RecvError::Stolen`], [`RecvError::NoMemory`],
    /// [`RecvError::Io`]. After any of them the next frame can be received.
    #[inline]
    pub fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        receive_from(&self.shared.fd, &mut self.buffer, self.limits, Wait::Block)
    }

    /// Receives the next frame if it is there.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from), and [`RecvError::WouldBlock`].
    #[inline]
    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        receive_from(&self.shared.fd, &mut self.buffer, self.limits, Wait::Try)
    }

    /// Receives the next frame, waiting for it until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from), and [`RecvError::TimedOut`].
    #[inline]
    pub fn recv_from_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        receive_from(&self.shared.fd, &mut self.buffer, self.limits, Wait::Until(deadline))
    }

    /// As [`recv_from`](Self::recv_from), into a buffer of the caller's, so that a frame can be kept
    /// while the next is received.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    #[inline]
    pub fn recv_from_into<'b>(
        &mut self,
        buffer: &'b mut Vec<u8>,
    ) -> Result<(Frame<'b, Rx>, Address), RecvError> {
        receive_from(&self.shared.fd, buffer, self.limits, Wait::Block)
    }

    /// How many datagrams the kernel has dropped because the receive queue was full, since the
    /// socket was made (`SO_MEMINFO`; modulo 2³²). UDP senders learn nothing of it; UNIX datagrams
    /// are never dropped.
    ///
    /// # Errors
    ///
    /// [`RecvError::Io`].
    pub fn drops(&self) -> Result<u32, RecvError> {
        Ok(self.shared.fd.drops()?)
    }

    /// Changes what is received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }
}

#[inline]
fn receive_from<'b, Rx: Message>(
    fd: &DatagramFd,
    buffer: &'b mut Vec<u8>,
    limits: Limits,
    wait: Wait,
) -> Result<(Frame<'b, Rx>, Address), RecvError> {
    let name = socket::receive_from(fd, buffer, limits, wait)?;
    Ok((Frame::new(buffer), name.into()))
}

impl<Tx: Message> Clone for SocketSender<Tx> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
    }
}

impl<Tx, Rx> AsFd for Socket<Tx, Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }
}

impl<Tx> AsFd for SocketSender<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.fd.as_fd()
    }
}

impl<Rx> AsFd for SocketReceiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.fd.as_fd()
    }
}

impl<Tx, Rx> fmt::Debug for Socket<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}

impl<Tx> fmt::Debug for SocketSender<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketSender").field("fd", &self.as_fd()).finish_non_exhaustive()
    }
}

impl<Rx> fmt::Debug for SocketReceiver<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketReceiver")
            .field("fd", &self.as_fd())
            .field("capacity", &self.buffer.capacity())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
