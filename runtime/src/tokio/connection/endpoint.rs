//! A connection: opens it, sends and receives.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Instant;

use crate::address::Address;
use crate::connection;
use crate::error::{OpenError, RecvError, SendError};
use crate::frame::Frame;
use crate::message::Message;
use crate::options::Options;
use crate::peer::Peer;
use crate::tokio::connecting;
use crate::tokio::receiver::Receiver;
use crate::tokio::sender::Sender;

/// A connection that sends messages of type `Tx` and receives messages of type `Rx`.
///
/// It is a [`Connection`](crate::Connection) with async methods. Create it, and await its methods, in a
/// tokio runtime whose I/O and time drivers are enabled.
///
/// While a connection waits for room to send, it has a second descriptor. Up to 16 connections of a process keep theirs
/// for longer, if their sockets are often full. If the process has no free descriptor, a send retries after short
/// pauses.
///
/// ```
/// use datagrammar::Message;
/// use datagrammar::tokio::Connection;
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
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut client, mut server) = Connection::<Ask<'static>, Tell>::pair()?;
/// client.send(&Ask::Length { of: "four" }).await?;
/// let Ask::Length { of } = server.recv().await?.expect("a question").decode()?;
/// let answer = Tell::Length(of.len());
/// server.send(&answer).await?;
/// let Tell::Length(length) = client.recv().await?.expect("an answer").decode()?;
/// assert_eq!(length, 4);
///
/// drop(client);
/// assert!(server.recv().await?.is_none());
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
pub struct Connection<Tx, Rx> {
    /// The sending half.
    pub tx: Sender<Tx>,
    /// The receiving half.
    pub rx: Receiver<Rx>,
}

impl<Tx: Message, Rx: Message> Connection<Tx, Rx> {
    /// Connects to the listener at `address`, a `unix:` or `vsock:` address. Waits while the listener's backlog
    /// is full.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::connect`](crate::Connection::connect).
    ///
    /// # Panics
    ///
    /// Like tokio's own sockets, outside a tokio runtime, or if its I/O or time driver is not enabled.
    pub async fn connect(address: &Address) -> Result<Self, OpenError> {
        Self::connect_with(address, &Options::new()).await
    }

    /// Connects, with options. See [`Connection::connect_with`](crate::Connection::connect_with).
    ///
    /// # Errors
    ///
    /// Those of [`Connection::connect_with`](crate::Connection::connect_with).
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        let fd = connecting::connect(address, options).await?;
        Self::register(connection::Connection::new(fd, options))
    }

    /// Creates two connected ends over UNIX SEQPACKET.
    ///
    /// # Errors
    ///
    /// [`OpenError::Exhausted`] and [`OpenError::Io`].
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    #[track_caller]
    pub fn pair() -> Result<(Self, Connection<Rx, Tx>), OpenError> {
        Self::pair_with(&Options::new())
    }

    /// Creates two connected ends, with options. See
    /// [`Connection::pair_with`](crate::Connection::pair_with).
    ///
    /// # Errors
    ///
    /// Those of [`pair`](Self::pair).
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    #[track_caller]
    pub fn pair_with(options: &Options) -> Result<(Self, Connection<Rx, Tx>), OpenError> {
        let (left, right) = connection::Connection::pair_with(options)?;
        Ok((Self::register(left)?, Connection::register(right)?))
    }

    /// Takes over a descriptor that is one end of a connection. See
    /// [`Connection::adopt`](crate::Connection::adopt).
    ///
    /// # Errors
    ///
    /// Those of [`Connection::adopt`](crate::Connection::adopt).
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    #[track_caller]
    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::adopt_with(fd, &Options::new())
    }

    /// Takes over a descriptor, with options. See
    /// [`Connection::adopt_with`](crate::Connection::adopt_with).
    ///
    /// # Errors
    ///
    /// Those of [`Connection::adopt`](crate::Connection::adopt).
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    #[track_caller]
    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        Self::register(connection::Connection::adopt_with(fd, options)?)
    }

    /// Takes over the standard input of this process. See
    /// [`Connection::inherited`](crate::Connection::inherited).
    ///
    /// # Errors
    ///
    /// Those of [`Connection::inherited`](crate::Connection::inherited).
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    #[track_caller]
    pub fn inherited() -> Result<Self, OpenError> {
        Self::inherited_with(&Options::new())
    }

    /// Takes over the standard input, with options. See
    /// [`Connection::inherited_with`](crate::Connection::inherited_with).
    ///
    /// # Errors
    ///
    /// Those of [`Connection::inherited`](crate::Connection::inherited).
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    #[track_caller]
    pub fn inherited_with(options: &Options) -> Result<Self, OpenError> {
        Self::register(connection::Connection::inherited_with(options)?)
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
    pub async fn send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.rx.note_send();
        self.tx.send(message).await
    }

    /// Sends a message if there is room now: see [`Sender::try_send`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::try_send`].
    pub fn try_send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.rx.note_send();
        self.tx.try_send(message)
    }

    /// Sends a message, and waits for room until `deadline`: see [`Sender::send_deadline`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::send_deadline`].
    pub async fn send_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.rx.note_send();
        self.tx.send_deadline(message, deadline).await
    }

    /// Receives the next frame, or `None` at the end: see [`Receiver::recv`].
    ///
    /// The frame borrows the connection. To send while you use it, receive with `connection.rx.recv()`, and send with
    /// `connection.tx.send(…)`.
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::recv`].
    pub async fn recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.rx.recv().await
    }

    /// Receives the next frame if one is queued: see [`Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::try_recv`].
    pub fn try_recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.rx.try_recv()
    }

    /// Receives the next frame, and waits for it until `deadline`: see [`Receiver::recv_deadline`].
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::recv_deadline`].
    pub async fn recv_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.rx.recv_deadline(deadline).await
    }

    /// Returns who is at the other end (UNIX only). See [`Connection::peer`](crate::Connection::peer).
    ///
    /// # Errors
    ///
    /// Those of [`Connection::peer`](crate::Connection::peer).
    pub fn peer(&self) -> io::Result<Peer> {
        self.tx.inner.peer()
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

impl<Tx, Rx> AsFd for Connection<Tx, Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.rx.as_fd()
    }
}

impl<Tx, Rx> AsRawFd for Connection<Tx, Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.rx.as_raw_fd()
    }
}

impl<Tx, Rx> fmt::Debug for Connection<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("rx", &self.rx).finish_non_exhaustive()
    }
}
