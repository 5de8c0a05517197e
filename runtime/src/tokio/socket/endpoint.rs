//! A socket without a peer, which sends to addresses and receives from them.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Instant;

use super::receiver::SocketReceiver;
use super::sender::SocketSender;
use crate::address::Address;
use crate::error::{OpenError, RecvError, SendError};
use crate::frame::Frame;
use crate::message::Message;
use crate::options::Options;
use crate::socket;
use crate::tokio::arrivals::Arrivals;
use crate::tokio::connecting::not_registered;
use crate::tokio::outbound::Outbound;

/// A UNIX datagram or UDP socket that sends messages of type `Tx` and receives messages of type `Rx`.
///
/// See [`Socket`](crate::Socket).
///
/// ```
/// use datagrammar::Message;
/// use datagrammar::tokio::Socket;
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping(u8),
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = Socket::<Ping, Ping>::bind(&"udp:127.0.0.1:0".parse()?)?;
/// let address = server.local_addr()?;
/// let mut client = Socket::<Ping, Ping>::unbound(&address)?;
/// client.send_to(&Ping::Ping(1), &address).await?;
///
/// let (frame, from) = server.recv_from().await?;
/// let Ping::Ping(number) = frame.decode()?;
/// server.send_to(&Ping::Ping(number + 1), &from).await?;
/// assert!(matches!(client.recv_from().await?.0.decode()?, Ping::Ping(2)));
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
pub struct Socket<Tx, Rx> {
    /// The sending half.
    pub tx: SocketSender<Tx>,
    /// The receiving half.
    pub rx: SocketReceiver<Rx>,
}

impl<Tx: Message, Rx: Message> Socket<Tx, Rx> {
    /// Binds to `address`. See [`Socket::bind`](crate::Socket::bind).
    ///
    /// # Errors
    ///
    /// Those of [`Socket::bind`](crate::Socket::bind).
    ///
    /// # Panics
    ///
    /// Like tokio's own sockets, outside a tokio runtime, or if its I/O or time driver is not enabled.
    #[track_caller]
    pub fn bind(address: &Address) -> Result<Self, OpenError> {
        Self::bind_with(address, &Options::new())
    }

    /// Binds, with options. See [`Socket::bind_with`](crate::Socket::bind_with).
    ///
    /// # Errors
    ///
    /// Those of [`Socket::bind_with`](crate::Socket::bind_with).
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    #[track_caller]
    pub fn bind_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        Self::register(socket::Socket::bind_with(address, options)?)
    }

    /// Opens a socket that can reach `peer` and receive its answers. See
    /// [`Socket::unbound`](crate::Socket::unbound).
    ///
    /// # Errors
    ///
    /// Those of [`Socket::unbound`](crate::Socket::unbound).
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    #[track_caller]
    pub fn unbound(peer: &Address) -> Result<Self, OpenError> {
        Self::register(socket::Socket::unbound(peer)?)
    }

    /// Takes over a descriptor. See [`Socket::adopt`](crate::Socket::adopt).
    ///
    /// # Errors
    ///
    /// Those of [`Socket::adopt`](crate::Socket::adopt).
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    #[track_caller]
    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::adopt_with(fd, &Options::new())
    }

    /// Takes over a descriptor, with options. See [`Socket::adopt_with`](crate::Socket::adopt_with).
    ///
    /// # Errors
    ///
    /// Those of [`Socket::adopt_with`](crate::Socket::adopt_with).
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    #[track_caller]
    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        Self::register(socket::Socket::adopt_with(fd, options)?)
    }

    /// Registers a blocking socket with the current runtime. Nothing is lost.
    ///
    /// # Errors
    ///
    /// The socket, and the error of epoll_ctl(2): ENOSPC and ENOMEM, or `InvalidInput` if one half was swapped
    /// with that of another socket.
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    #[track_caller]
    #[expect(clippy::result_large_err, reason = "the error returns the socket")]
    pub fn from_blocking(
        socket: socket::Socket<Tx, Rx>,
    ) -> Result<Self, (socket::Socket<Tx, Rx>, io::Error)> {
        let Some(fd) = socket.whole_fd().cloned() else {
            return Err((socket, io::ErrorKind::InvalidInput.into()));
        };
        match Arrivals::new(fd.clone()) {
            Ok(arrivals) => {
                let (tx, rx) = socket.split();
                let tx = SocketSender::new(tx, Outbound::new(fd));
                Ok(Self { tx, rx: SocketReceiver::new(rx, arrivals) })
            }
            Err(error) => Err((socket, error)),
        }
    }

    /// Returns the blocking socket.
    #[must_use]
    pub fn into_blocking(self) -> socket::Socket<Tx, Rx> {
        socket::Socket::from_halves(self.tx.into_blocking(), self.rx.into_blocking())
    }

    /// Registers a socket that was just opened.
    #[track_caller]
    fn register(socket: socket::Socket<Tx, Rx>) -> Result<Self, OpenError> {
        Self::from_blocking(socket).map_err(|(_, source)| not_registered(source))
    }

    /// Returns both halves, which can be used independently.
    #[must_use]
    pub fn split(self) -> (SocketSender<Tx>, SocketReceiver<Rx>) {
        (self.tx, self.rx)
    }

    /// Sends a message: see [`SocketSender::send_to`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketSender::send_to`].
    pub async fn send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.rx.note_send();
        self.tx.send_to(message, to).await
    }

    /// Sends a message if there is room now: see [`SocketSender::try_send_to`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketSender::try_send_to`].
    pub fn try_send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.rx.note_send();
        self.tx.try_send_to(message, to)
    }

    /// Sends a message, and waits for room until `deadline`: see [`SocketSender::send_to_deadline`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketSender::send_to_deadline`].
    pub async fn send_to_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.rx.note_send();
        self.tx.send_to_deadline(message, to, deadline).await
    }

    /// Receives the next frame and its sender's address: see [`SocketReceiver::recv_from`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketReceiver::recv_from`].
    pub async fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.recv_from().await
    }

    /// Receives the next frame if one is queued: see [`SocketReceiver::try_recv_from`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketReceiver::try_recv_from`].
    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.try_recv_from()
    }

    /// Receives the next frame, and waits for it until `deadline`: see [`SocketReceiver::recv_from_deadline`].
    ///
    /// # Errors
    ///
    /// Those of [`SocketReceiver::recv_from_deadline`].
    pub async fn recv_from_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.recv_from_deadline(deadline).await
    }

    /// Returns the address that the socket is bound to: see [`Socket::local_addr`](crate::Socket::local_addr).
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<Address> {
        self.rx.inner().local_addr()
    }

    /// Returns how many datagrams the kernel has dropped: see [`SocketReceiver::drops`].
    ///
    /// # Errors
    ///
    /// Those of getsockopt(2).
    pub fn drops(&self) -> io::Result<u32> {
        self.rx.drops()
    }

    /// Shuts down the socket for every holder: see [`Socket::shutdown`](crate::Socket::shutdown).
    ///
    /// # Errors
    ///
    /// Those of shutdown(2).
    pub fn shutdown(&self) -> io::Result<()> {
        self.rx.shutdown()
    }
}

impl<Tx, Rx> AsFd for Socket<Tx, Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.rx.as_fd()
    }
}

impl<Tx, Rx> AsRawFd for Socket<Tx, Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.rx.as_raw_fd()
    }
}

impl<Tx, Rx> fmt::Debug for Socket<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("rx", &self.rx).finish_non_exhaustive()
    }
}
