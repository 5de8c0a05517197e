//! The receiving half of an unconnected socket.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures_core::Stream;

use crate::address::Address;
use crate::error::RecvError;
use crate::frame::Frame;
use crate::limits::Limits;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::peer::Peer;
use crate::socket;
use crate::tokio::arrivals::Arrivals;
use crate::tokio::inbound::{Inbound, Reads};
use crate::wait::Wait;

/// The receiving half of a [`Socket`](super::Socket), for messages of type `Rx`.
///
/// All methods are cancel-safe.
///
/// It is also a [`Stream`][stream], which ends after a [fatal](RecvError::is_fatal) error.
///
/// [stream]: https://docs.rs/futures-core/latest/futures_core/stream/trait.Stream.html
pub struct SocketReceiver<Rx> {
    inbound: Inbound<socket::SocketReceiver<Rx>>,
    /// Whether a stream has ended.
    is_done: bool,
}

impl<Rx: Message> SocketReceiver<Rx> {
    pub(super) fn new(inner: socket::SocketReceiver<Rx>, arrivals: Arrivals) -> Self {
        Self { inbound: Inbound::new(inner, arrivals), is_done: false }
    }

    /// Notes that the endpoint was used to send.
    #[inline]
    pub(super) fn note_send(&mut self) {
        self.inbound.note_send();
    }

    pub(super) fn inner(&self) -> &socket::SocketReceiver<Rx> {
        self.inbound.inner()
    }

    /// Receives the next frame and its sender's address. See
    /// [`SocketReceiver::recv_from`](crate::SocketReceiver::recv_from).
    ///
    /// # Errors
    ///
    /// Those of [`SocketReceiver::recv_from`](crate::SocketReceiver::recv_from). The reactor does not report
    /// [`RecvError::Refused`], so that error comes only before the next frame, or at a deadline.
    pub async fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        let range = poll_fn(|cx| self.inbound.poll(cx, receive)).await?;
        Ok(self.inbound.inner_mut().frame(range))
    }

    /// Receives the next frame if one is queued.
    ///
    /// # Errors
    ///
    /// Those of [`recv_from`](Self::recv_from), and [`RecvError::WouldBlock`].
    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        let range = self.inbound.with(receive)?;
        Ok(self.inbound.inner_mut().frame(range))
    }

    /// Receives the next frame, and waits for it until `deadline`.
    ///
    /// # Errors
    ///
    /// Those of [`recv_from`](Self::recv_from), and [`RecvError::TimedOut`].
    pub async fn recv_from_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        let range = self.inbound.until(deadline, receive).await?;
        Ok(self.inbound.inner_mut().frame(range))
    }

    /// Receives the next frame as an [`OwnedFrame`], which can be kept and moved to another task.
    ///
    /// # Errors
    ///
    /// Those of [`recv_from`](Self::recv_from).
    pub async fn recv_owned_from(&mut self) -> Result<(OwnedFrame<Rx>, Address), RecvError> {
        poll_fn(|cx| self.inbound.poll(cx, receive_owned)).await
    }

    /// Receives the next frame as an [`OwnedFrame`] if one is queued.
    ///
    /// # Errors
    ///
    /// Those of [`try_recv_from`](Self::try_recv_from).
    pub fn try_recv_owned_from(&mut self) -> Result<(OwnedFrame<Rx>, Address), RecvError> {
        self.inbound.with(receive_owned)
    }

    /// Returns who sent the datagram that the last receive has refused: see
    /// [`SocketReceiver::take_refused_sender`](crate::SocketReceiver::take_refused_sender).
    ///
    /// ```
    /// use datagrammar::tokio::Socket;
    /// use datagrammar::{Message, RecvError};
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let mut ours = Socket::<Ping, Ping>::bind(&"udp:127.0.0.1:0".parse()?)?;
    /// let theirs = std::net::UdpSocket::bind("127.0.0.1:0")?;
    /// theirs.send_to(b"\0garbage", ours.local_addr()?.as_udp().expect("it is UDP"))?;
    /// assert!(matches!(ours.recv_from().await, Err(RecvError::BadFragment(_))));
    /// let (from, _) = ours.rx.take_refused_sender().expect("somebody sent it");
    /// assert_eq!(from.as_udp(), Some(theirs.local_addr()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_refused_sender(&mut self) -> Option<(Address, Option<Peer>)> {
        self.inbound.with(socket::SocketReceiver::take_refused_sender)
    }

    /// Returns how many datagrams the kernel has dropped: see
    /// [`SocketReceiver::drops`](crate::SocketReceiver::drops).
    ///
    /// # Errors
    ///
    /// Those of getsockopt(2).
    pub fn drops(&self) -> io::Result<u32> {
        self.inbound.inner().drops()
    }

    /// Changes the limits for the frames received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.inbound.with(|inner| inner.set_limits(limits));
    }

    /// Shuts down the socket: see [`Socket::shutdown`](super::Socket::shutdown).
    ///
    /// # Errors
    ///
    /// Those of [`Socket::shutdown`](super::Socket::shutdown).
    pub fn shutdown(&self) -> io::Result<()> {
        self.inbound.inner().shutdown()
    }

    /// Returns the blocking half. Nothing is lost.
    #[must_use]
    pub fn into_blocking(self) -> socket::SocketReceiver<Rx> {
        self.inbound.into_inner()
    }
}

#[inline]
fn receive<Rx: Message>(inner: &mut socket::SocketReceiver<Rx>) -> Result<Range<usize>, RecvError> {
    inner.receive_range(Wait::Try)
}

#[inline]
fn receive_owned<Rx: Message>(
    inner: &mut socket::SocketReceiver<Rx>,
) -> Result<(OwnedFrame<Rx>, Address), RecvError> {
    inner.recv_owned_from(Wait::Try)
}

impl<Rx: Message> Reads for socket::SocketReceiver<Rx> {
    fn has_unread(&self) -> bool {
        self.has_unread()
    }
}

impl<Rx: Message> Stream for SocketReceiver<Rx> {
    type Item = Result<(OwnedFrame<Rx>, Address), RecvError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let item = ready!(self.inbound.poll(cx, receive_owned));
        self.is_done = item.as_ref().is_err_and(RecvError::is_fatal);
        Poll::Ready(Some(item))
    }
}

impl<Rx> AsFd for SocketReceiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inbound.inner().as_fd()
    }
}

impl<Rx> AsRawFd for SocketReceiver<Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inbound.inner().as_raw_fd()
    }
}

impl<Rx> fmt::Debug for SocketReceiver<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SocketReceiver").field(self.inbound.inner()).finish()
    }
}
