//! A connection: opens it, sends and receives.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Instant;

use datagrammar::tokio as awaited;
use datagrammar::{Address, Frame, Message, OpenError, Options, Peer, RecvError, SendError};

use crate::receiver::Receiver;
use crate::runtime::{block_on, enter};
use crate::sender::Sender;

/// See [`datagrammar::Connection`].
#[non_exhaustive]
pub struct Connection<Tx, Rx> {
    /// The sending half.
    pub tx: Sender<Tx>,
    /// The receiving half.
    pub rx: Receiver<Rx>,
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<Tx: Message, Rx: Message> Connection<Tx, Rx> {
    pub(crate) fn into_awaited(self) -> awaited::Connection<Tx, Rx> {
        // Only a connection takes halves, so a temporary connection lends them.
        let (mut whole, _) = enter(awaited::Connection::pair).expect("a pair");
        (whole.tx, whole.rx) = (self.tx.inner, self.rx.inner);
        whole
    }

    pub(crate) fn new(connection: awaited::Connection<Tx, Rx>) -> Self {
        let (tx, rx) = connection.split();
        Self { tx: Sender { inner: tx }, rx: Receiver { inner: rx } }
    }

    pub fn connect(address: &Address) -> Result<Self, OpenError> {
        block_on(awaited::Connection::connect(address)).map(Self::new)
    }

    pub fn connect_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        block_on(awaited::Connection::connect_with(address, options)).map(Self::new)
    }

    pub fn pair() -> Result<(Self, Connection<Rx, Tx>), OpenError> {
        let (left, right) = enter(awaited::Connection::pair)?;
        Ok((Self::new(left), Connection::new(right)))
    }

    pub fn pair_with(options: &Options) -> Result<(Self, Connection<Rx, Tx>), OpenError> {
        let (left, right) = enter(|| awaited::Connection::pair_with(options))?;
        Ok((Self::new(left), Connection::new(right)))
    }

    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        enter(|| awaited::Connection::adopt(fd)).map(Self::new)
    }

    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        enter(|| awaited::Connection::adopt_with(fd, options)).map(Self::new)
    }

    pub fn inherited() -> Result<Self, OpenError> {
        enter(awaited::Connection::inherited).map(Self::new)
    }

    pub fn inherited_with(options: &Options) -> Result<Self, OpenError> {
        enter(|| awaited::Connection::inherited_with(options)).map(Self::new)
    }

    pub fn into_fd(self) -> io::Result<(OwnedFd, Vec<Vec<u8>>)> {
        self.into_awaited().into_blocking().into_fd()
    }

    pub fn split(self) -> (Sender<Tx>, Receiver<Rx>) {
        (self.tx, self.rx)
    }

    pub fn send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.tx.send(message)
    }

    pub fn try_send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.tx.try_send(message)
    }

    pub fn send_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.tx.send_deadline(message, deadline)
    }

    pub fn recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.rx.recv()
    }

    pub fn try_recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.rx.try_recv()
    }

    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.rx.recv_deadline(deadline)
    }

    pub fn peer(&self) -> io::Result<Peer> {
        // The halves are separate here, and only a whole connection knows.
        let copy = self.as_fd().try_clone_to_owned()?;
        let copy =
            enter(|| awaited::Connection::<Tx, Rx>::adopt(copy)).map_err(io::Error::other)?;
        copy.peer()
    }

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
        self.rx.fmt(f)
    }
}
