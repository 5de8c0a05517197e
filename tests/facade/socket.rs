//! Unconnected sockets: each frame has an address.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Instant;

use datagrammar::tokio as awaited;
use datagrammar::{
    Address, Frame, Limits, Message, OpenError, Options, OwnedFrame, Peer, RecvError, SendAllError,
    SendError, Wait,
};

use crate::runtime::{block_on, block_until, enter, retry, retry_all};

/// See [`datagrammar::Socket`].
#[non_exhaustive]
pub struct Socket<Tx, Rx> {
    /// The sending half.
    pub tx: SocketSender<Tx>,
    /// The receiving half.
    pub rx: SocketReceiver<Rx>,
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<Tx: Message, Rx: Message> Socket<Tx, Rx> {
    fn open(
        open: impl FnOnce() -> Result<awaited::Socket<Tx, Rx>, OpenError>,
    ) -> Result<Self, OpenError> {
        let (tx, rx) = enter(open)?.split();
        Ok(Self { tx: SocketSender { inner: tx }, rx: SocketReceiver { inner: rx } })
    }

    pub fn bind(address: &Address) -> Result<Self, OpenError> {
        Self::open(|| awaited::Socket::bind(address))
    }

    pub fn bind_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        Self::open(|| awaited::Socket::bind_with(address, options))
    }

    pub fn unbound(peer: &Address) -> Result<Self, OpenError> {
        Self::open(|| awaited::Socket::unbound(peer))
    }

    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::open(|| awaited::Socket::adopt(fd))
    }

    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        Self::open(|| awaited::Socket::adopt_with(fd, options))
    }

    pub fn split(self) -> (SocketSender<Tx>, SocketReceiver<Rx>) {
        (self.tx, self.rx)
    }

    pub fn send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.tx.send_to(message, to)
    }

    pub fn try_send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.tx.try_send_to(message, to)
    }

    pub fn send_to_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.tx.send_to_deadline(message, to, deadline)
    }

    pub fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.recv_from()
    }

    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.try_recv_from()
    }

    pub fn recv_from_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.rx.recv_from_deadline(deadline)
    }

    pub fn local_addr(&self) -> io::Result<Address> {
        // The halves are separate here, and only a whole socket knows.
        let copy = self.as_fd().try_clone_to_owned()?;
        let copy = enter(|| awaited::Socket::<Tx, Rx>::adopt(copy)).map_err(io::Error::other)?;
        copy.local_addr()
    }

    pub fn drops(&self) -> io::Result<u32> {
        self.rx.drops()
    }

    pub fn shutdown(&self) -> io::Result<()> {
        self.tx.shutdown()
    }
}

/// See [`datagrammar::SocketSender`].
pub struct SocketSender<Tx> {
    inner: awaited::SocketSender<Tx>,
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<Tx: Message> SocketSender<Tx> {
    pub fn send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        block_on(self.inner.send_to(message, to))
    }

    pub fn try_send_to(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
    ) -> Result<usize, SendError> {
        self.inner.try_send_to(message, to)
    }

    pub fn send_to_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        to: &Address,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        block_on(self.inner.send_to_deadline(message, to, deadline))
    }

    pub fn send_all_to<'m, 'b, I>(
        &mut self,
        messages: I,
        to: &Address,
        wait: Wait,
    ) -> Result<usize, SendAllError>
    where
        I: IntoIterator<Item = &'m Tx::Borrowed<'b>, IntoIter: Clone>,
        Tx::Borrowed<'b>: 'm,
    {
        if wait == Wait::Block {
            return block_on(self.inner.send_all_to(messages, to));
        }
        let messages = messages.into_iter();
        retry_all(wait, |sent| self.inner.try_send_all_to(messages.clone().skip(sent), to))
    }

    pub fn send_frame_to(
        &mut self,
        frame: &OwnedFrame<Tx>,
        to: &Address,
        wait: Wait,
    ) -> Result<usize, SendError> {
        match wait {
            Wait::Block => block_on(self.inner.send_frame_to(frame, to)),
            _ => retry(wait, || self.inner.try_send_frame_to(frame, to)),
        }
    }

    pub fn shutdown(&self) -> io::Result<()> {
        self.inner.shutdown()
    }
}

impl<Tx: Message> Clone for SocketSender<Tx> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

/// See [`datagrammar::SocketReceiver`].
pub struct SocketReceiver<Rx> {
    inner: awaited::SocketReceiver<Rx>,
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<Rx: Message> SocketReceiver<Rx> {
    pub fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        block_on(self.inner.recv_from())
    }

    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.inner.try_recv_from()
    }

    pub fn recv_from_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        block_on(self.inner.recv_from_deadline(deadline))
    }

    pub fn recv_owned_from(&mut self, wait: Wait) -> Result<(OwnedFrame<Rx>, Address), RecvError> {
        match wait {
            Wait::Block => block_on(self.inner.recv_owned_from()),
            Wait::Try => self.inner.try_recv_owned_from(),
            Wait::Until(deadline) => match self.inner.try_recv_owned_from() {
                Err(RecvError::WouldBlock) => block_until(deadline, self.inner.recv_owned_from())
                    .unwrap_or(Err(RecvError::TimedOut)),
                result => result,
            },
        }
    }

    pub fn take_refused_sender(&mut self) -> Option<(Address, Option<Peer>)> {
        self.inner.take_refused_sender()
    }

    pub fn drops(&self) -> io::Result<u32> {
        self.inner.drops()
    }

    pub fn set_limits(&mut self, limits: Limits) {
        self.inner.set_limits(limits);
    }

    pub fn shutdown(&self) -> io::Result<()> {
        self.inner.shutdown()
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
        self.rx.fmt(f)
    }
}

impl<Tx> AsFd for SocketSender<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Tx> AsRawFd for SocketSender<Tx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Tx> fmt::Debug for SocketSender<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<Rx> AsFd for SocketReceiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Rx> AsRawFd for SocketReceiver<Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Rx> fmt::Debug for SocketReceiver<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
