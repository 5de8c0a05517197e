//! A connection: opens it, sends and receives.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::time::Instant;

use crate::address::Address;
use crate::error::{OpenError, RecvError, SendError};
use crate::frame::Frame;
use crate::message::Message;
use crate::options::Options;
use crate::peer::Peer;
use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::sys::{self, DatagramFd};
use crate::transport;

/// A connection that sends messages of type `Tx` and receives messages of type `Rx`.
///
/// It uses UNIX or vsock SEQPACKET sockets: messages keep their boundaries and order, none is lost, and
/// the connection has an end. The peer swaps the types. [`split`](Self::split) it to send while a received
/// message is borrowed, or to use the halves from different threads.
///
/// If one side never sends, its messages are an enum without variants: `#[derive(Message)] enum Nothing {}`.
///
/// ```
/// use datagrammar::{Connection, Message};
///
/// #[derive(Message, Debug)]
/// enum Ask<'a> {
///     #[message(tag = 1)]
///     Length { of: &'a str },
/// }
/// #[derive(Message, Debug)]
/// enum Tell {
///     #[message(tag = 1)]
///     Length(usize),
/// }
///
/// let (mut client, mut server) = Connection::<Ask<'static>, Tell>::pair()?;
/// client.send(&Ask::Length { of: "four" })?;
/// let Ask::Length { of } = server.recv()?.expect("a question").decode()?;
/// let answer = Tell::Length(of.len());
/// server.send(&answer)?;
/// let Tell::Length(length) = client.recv()?.expect("an answer").decode()?;
/// assert_eq!(length, 4);
///
/// drop(client);
/// assert!(server.recv()?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[non_exhaustive]
pub struct Connection<Tx, Rx> {
    /// The sending half.
    pub tx: Sender<Tx>,
    /// The receiving half.
    pub rx: Receiver<Rx>,
}

impl<Tx: Message, Rx: Message> Connection<Tx, Rx> {
    /// Connects to the [`Listener`](crate::Listener) at `address`, a `unix:` or `vsock:` address.
    /// Waits while the listener's backlog is full.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: `Refused` if nobody listens there, `NotASocket`, `WrongFamily`, `NotHere`,
    /// `Unsupported`, `Exhausted`, `Io`.
    pub fn connect(address: &Address) -> Result<Self, OpenError> {
        Self::connect_with(address, &Options::new())
    }

    /// Connects, with options: `limits`, `budget`, `server_uid`, `deadline`, `recv_buffer`, `send_buffer`,
    /// `eager`.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use datagrammar::{Connection, Message, OpenError, Options};
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    ///
    /// let options = Options::new().server_uid(0).deadline(Instant::now() + Duration::from_secs(1));
    /// let nobody = "unix:@datagrammar-doc-nobody".parse()?;
    /// let result = Connection::<Ping, Ping>::connect_with(&nobody, &options);
    /// assert!(matches!(result, Err(OpenError::Refused { .. })));
    /// # Ok::<(), datagrammar::AddressError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect), `WrongServer`, and `TimedOut`.
    pub fn connect_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        Ok(Self::new(transport::connect(address, options)?, options))
    }

    pub(crate) fn new(fd: DatagramFd, options: &Options) -> Self {
        sys::accept_descriptors(fd.as_fd(), Rx::DESCRIPTORS);
        let tx = Sender::new(fd.clone());
        Self { tx, rx: Receiver::new(fd, options) }
    }

    /// Returns whether both halves are of one connection: they are public, and can be swapped.
    pub(crate) fn is_whole(&self) -> bool {
        self.tx.fd().is_same(self.rx.fd())
    }

    pub(crate) fn from_halves(tx: Sender<Tx>, rx: Receiver<Rx>) -> Self {
        Self { tx, rx }
    }

    /// Returns both halves, which can be used independently.
    #[must_use]
    pub fn split(self) -> (Sender<Tx>, Receiver<Rx>) {
        (self.tx, self.rx)
    }

    /// Sends a message: see [`Sender::send`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::send`].
    #[inline]
    pub fn send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.tx.send(message)
    }

    /// Sends a message if there is room now: see [`Sender::try_send`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::try_send`].
    #[inline]
    pub fn try_send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.tx.try_send(message)
    }

    /// Sends a message, and waits for room until `deadline`: see [`Sender::send_deadline`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::send_deadline`].
    #[inline]
    pub fn send_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.tx.send_deadline(message, deadline)
    }

    /// Receives the next frame, or `None` at the end: see [`Receiver::recv`].
    ///
    /// The frame borrows the connection. To send while you use it, receive with `connection.rx.recv()`, and send with
    /// `connection.tx.send(…)`.
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::recv`].
    #[inline]
    pub fn recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.rx.recv()
    }

    /// Receives the next frame if one is queued: see [`Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::try_recv`].
    #[inline]
    pub fn try_recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.rx.try_recv()
    }

    /// Receives the next frame, and waits for it until `deadline`: see [`Receiver::recv_deadline`].
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::recv_deadline`].
    #[inline]
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.rx.recv_deadline(deadline)
    }

    /// Returns who is at the other end (UNIX only). For a pair, that is the process that created it.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` over vsock. The errors of getsockopt(2).
    pub fn peer(&self) -> io::Result<Peer> {
        self.tx.peer()
    }

    /// Shuts down one or both directions: see [`Sender::shutdown`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::shutdown`].
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.tx.shutdown(how)
    }
}

impl<Tx: Message, Rx: Message> Connection<Tx, Rx> {
    /// Creates two connected ends over UNIX SEQPACKET, for tests, threads and children.
    ///
    /// # Errors
    ///
    /// [`OpenError::Exhausted`] and [`OpenError::Io`].
    pub fn pair() -> Result<(Self, Connection<Rx, Tx>), OpenError> {
        Self::pair_with(&Options::new())
    }

    /// Creates two connected ends, both with these options: `limits`, `budget`, `recv_buffer`, `send_buffer`,
    /// `eager`.
    ///
    /// # Errors
    ///
    /// Those of [`pair`](Self::pair).
    pub fn pair_with(options: &Options) -> Result<(Self, Connection<Rx, Tx>), OpenError> {
        let (left, right) = transport::pair(options)?;
        Ok((Self::new(left, options), Connection::new(right, options)))
    }
}

impl<Tx, Rx> fmt::Debug for Connection<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("rx", &self.rx).finish_non_exhaustive()
    }
}
