//! Listeners, which accept connections.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Instant;

use datagrammar::tokio as awaited;
use datagrammar::{AcceptError, Address, Message, OpenError, Options};

use crate::connection::Connection;
use crate::runtime::{block_on, enter};

/// See [`datagrammar::Listener`].
pub struct Listener<Tx, Rx> {
    inner: awaited::Listener<Tx, Rx>,
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<Tx: Message, Rx: Message> Listener<Tx, Rx> {
    fn open(
        open: impl FnOnce() -> Result<awaited::Listener<Tx, Rx>, OpenError>,
    ) -> Result<Self, OpenError> {
        Ok(Self { inner: enter(open)? })
    }

    pub fn bind(address: &Address) -> Result<Self, OpenError> {
        Self::open(|| awaited::Listener::bind(address))
    }

    pub fn bind_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        Self::open(|| awaited::Listener::bind_with(address, options))
    }

    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::open(|| awaited::Listener::adopt(fd))
    }

    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        Self::open(|| awaited::Listener::adopt_with(fd, options))
    }

    pub fn accept(&self) -> Result<Connection<Tx, Rx>, AcceptError> {
        block_on(self.inner.accept()).map(Connection::new)
    }

    pub fn try_accept(&self) -> Result<Connection<Tx, Rx>, AcceptError> {
        enter(|| self.inner.try_accept()).map(Connection::new)
    }

    pub fn accept_deadline(&self, deadline: Instant) -> Result<Connection<Tx, Rx>, AcceptError> {
        block_on(self.inner.accept_deadline(deadline)).map(Connection::new)
    }
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<Tx, Rx> Listener<Tx, Rx> {
    pub fn local_addr(&self) -> io::Result<Address> {
        self.inner.local_addr()
    }

    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.inner.rejected()
    }

    pub fn shutdown(&self) -> io::Result<()> {
        self.inner.shutdown()
    }

    #[must_use = "the listener is closed with the descriptor"]
    pub fn into_fd(self) -> OwnedFd {
        self.inner.into_blocking().into_fd()
    }
}

impl<Tx, Rx> AsFd for Listener<Tx, Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Tx, Rx> AsRawFd for Listener<Tx, Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Tx, Rx> fmt::Debug for Listener<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
