//! The receiving half of an unconnected socket.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use ::tokio::time::timeout_at;
use futures_core::Stream;

use crate::address::Address;
use crate::error::RecvError;
use crate::frame::Frame;
use crate::limits::Limits;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::socket;
use crate::tokio::registration::Registration;
use crate::tokio::unread::Unread;
use crate::wait::Wait;

/// The receiving half of a [`Socket`](super::Socket), for messages of type `Rx`. All methods are cancel-safe.
///
/// It is also a [`Stream`], which ends after a [fatal](RecvError::is_fatal) error.
pub struct SocketReceiver<Rx> {
    inner: socket::SocketReceiver<Rx>,
    registration: Registration,
    unread: Unread,
    /// Whether a stream has ended.
    is_done: bool,
}

impl<Rx: Message> SocketReceiver<Rx> {
    pub(super) fn new(inner: socket::SocketReceiver<Rx>, registration: Registration) -> Self {
        let unread = Unread::new(inner.has_unread());
        Self { inner, registration, unread, is_done: false }
    }

    pub(super) fn inner(&self) -> &socket::SocketReceiver<Rx> {
        &self.inner
    }

    /// Receives the next frame and its sender's address. See
    /// [`SocketReceiver::recv_from`](crate::SocketReceiver::recv_from).
    ///
    /// # Errors
    ///
    /// Those of [`SocketReceiver::recv_from`](crate::SocketReceiver::recv_from). The reactor does not report a
    /// [`RecvError::Refused`] by itself: it comes before the next frame, or at a deadline.
    pub async fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        let range = poll_fn(|cx| self.poll_range(cx)).await?;
        Ok(self.inner.frame(range))
    }

    /// Receives the next frame if one is queued.
    ///
    /// # Errors
    ///
    /// Those of [`recv_from`](Self::recv_from), and [`RecvError::WouldBlock`].
    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        let range = self.try_with(|inner| inner.receive_range(Wait::Try))?;
        Ok(self.inner.frame(range))
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
        let range = poll_fn(|cx| self.poll_range(cx));
        let range = match timeout_at(deadline.into(), range).await {
            Ok(range) => range,
            // A frame may be queued that the reactor has not reported yet.
            Err(_) => self.try_with(|inner| inner.receive_range(Wait::Try)),
        };
        match range {
            Ok(range) => Ok(self.inner.frame(range)),
            Err(RecvError::WouldBlock) => Err(RecvError::TimedOut),
            Err(error) => Err(error),
        }
    }

    /// Receives the next frame as an [`OwnedFrame`], which can be kept and moved to another task.
    ///
    /// # Errors
    ///
    /// Those of [`recv_from`](Self::recv_from).
    pub async fn recv_owned_from(&mut self) -> Result<(OwnedFrame<Rx>, Address), RecvError> {
        poll_fn(|cx| self.poll_owned(cx)).await
    }

    /// Receives the next frame as an [`OwnedFrame`] if one is queued.
    ///
    /// # Errors
    ///
    /// Those of [`try_recv_from`](Self::try_recv_from).
    pub fn try_recv_owned_from(&mut self) -> Result<(OwnedFrame<Rx>, Address), RecvError> {
        self.try_with(|inner| inner.recv_owned_from(Wait::Try))
    }

    /// Returns how many datagrams the kernel has dropped: see
    /// [`SocketReceiver::drops`](crate::SocketReceiver::drops).
    ///
    /// # Errors
    ///
    /// Those of getsockopt(2).
    pub fn drops(&self) -> io::Result<u32> {
        self.inner.drops()
    }

    /// Changes the limits for the frames received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.inner.set_limits(limits);
    }

    /// Shuts down the socket: see [`Socket::shutdown`](super::Socket::shutdown).
    ///
    /// # Errors
    ///
    /// Those of [`Socket::shutdown`](super::Socket::shutdown).
    pub fn shutdown(&self) -> io::Result<()> {
        self.inner.shutdown()
    }

    /// Returns the blocking half. Nothing is lost.
    #[must_use]
    pub fn into_blocking(self) -> socket::SocketReceiver<Rx> {
        self.inner
    }

    /// Receives without waiting, and notes what was read before the reactor reported it.
    fn try_with<T>(
        &mut self,
        attempt: impl FnOnce(&mut socket::SocketReceiver<Rx>) -> Result<T, RecvError>,
    ) -> Result<T, RecvError> {
        let result = attempt(&mut self.inner);
        self.unread.set(self.inner.has_unread());
        result
    }

    fn poll_range(&mut self, cx: &mut Context<'_>) -> Poll<Result<Range<usize>, RecvError>> {
        self.poll_with(cx, |inner| inner.receive_range(Wait::Try))
    }

    fn poll_owned(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(OwnedFrame<Rx>, Address), RecvError>> {
        self.poll_with(cx, |inner| inner.recv_owned_from(Wait::Try))
    }

    #[inline]
    fn poll_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&mut socket::SocketReceiver<Rx>) -> Result<T, RecvError>,
    ) -> Poll<Result<T, RecvError>> {
        let Self { inner, registration, unread, .. } = self;
        if ready!(unread.poll(cx)) {
            let result = attempt(inner);
            unread.set(inner.has_unread());
            match result {
                Err(RecvError::WouldBlock) => {}
                result => return Poll::Ready(result),
            }
        }
        registration.poll_read(cx, || attempt(inner))
    }
}

impl<Rx: Message> Stream for SocketReceiver<Rx> {
    type Item = Result<(OwnedFrame<Rx>, Address), RecvError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let item = ready!(self.poll_owned(cx));
        self.is_done = item.as_ref().is_err_and(RecvError::is_fatal);
        Poll::Ready(Some(item))
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
        f.debug_tuple("SocketReceiver").field(&self.inner).finish()
    }
}
