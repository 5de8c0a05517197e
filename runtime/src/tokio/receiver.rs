//! The receiving half of a connection.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use ::tokio::time::timeout_at;
use futures_core::Stream;

use super::registration::Registration;
use super::unread::Unread;
use crate::error::RecvError;
use crate::frame::Frame;
use crate::limits::Limits;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::receiver;
use crate::wait::Wait;

/// The receiving half of a [`Connection`](super::Connection), for messages of type `Rx`.
///
/// All methods are cancel-safe: if a future is dropped, no frame is lost. A large frame whose pieces have
/// arrived in part stays in the receiver, and the next call goes on with it.
///
/// A receiver is also a [`Stream`] of [`OwnedFrame`]s. The stream ends with the connection, and after a
/// [fatal](RecvError::is_fatal) error.
///
/// ```
/// use datagrammar::Message;
/// use datagrammar::tokio::Connection;
/// use futures_util::StreamExt as _;
///
/// #[derive(Message)]
/// enum Count {
///     #[message(tag = 1)]
///     Count(u32),
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut ours, theirs) = Connection::<Count, Count>::pair()?;
/// for count in 0..3 {
///     ours.send(&Count::Count(count)).await?;
/// }
/// drop(ours);
/// let (_tx, mut rx) = theirs.split();
/// let mut sum = 0;
/// while let Some(frame) = rx.next().await {
///     let mut frame = frame?;
///     let Count::Count(count) = frame.decode()?;
///     sum += count;
/// }
/// assert_eq!(sum, 3);
/// # Ok(())
/// # }
/// ```
pub struct Receiver<Rx> {
    inner: receiver::Receiver<Rx>,
    registration: Registration,
    unread: Unread,
    /// Whether a stream has ended.
    is_done: bool,
}

impl<Rx: Message> Receiver<Rx> {
    pub(super) fn new(mut inner: receiver::Receiver<Rx>, registration: Registration) -> Self {
        inner.set_awaited(true);
        let unread = Unread::new(inner.has_unread());
        Self { inner, registration, unread, is_done: false }
    }

    /// Receives the next frame, or `None` at the end. See [`Receiver::recv`](crate::Receiver::recv).
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::recv`](crate::Receiver::recv).
    pub async fn recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        let frame = poll_fn(|cx| self.poll_range(cx)).await?;
        Ok(frame.map(|frame| self.inner.frame(frame)))
    }

    /// Receives the next frame if one is queued. See [`Receiver::try_recv`](crate::Receiver::try_recv).
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::try_recv`](crate::Receiver::try_recv).
    pub fn try_recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        let frame = self.try_with(|inner| inner.receive_range(Wait::Try))?;
        Ok(frame.map(|frame| self.inner.frame(frame)))
    }

    /// Receives the next frame, and waits for it until `deadline`. See
    /// [`Receiver::recv_deadline`](crate::Receiver::recv_deadline).
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Self::recv), and [`RecvError::TimedOut`].
    pub async fn recv_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        let frame = poll_fn(|cx| self.poll_range(cx));
        let frame = match timeout_at(deadline.into(), frame).await {
            Ok(frame) => frame,
            // A frame may be queued that the reactor has not reported yet.
            Err(_) => self.try_with(|inner| inner.receive_range(Wait::Try)),
        };
        match frame {
            Ok(frame) => Ok(frame.map(|frame| self.inner.frame(frame))),
            Err(RecvError::WouldBlock) => Err(RecvError::TimedOut),
            Err(error) => Err(error),
        }
    }

    /// Receives the next frame as an [`OwnedFrame`], which can be kept and moved to another task.
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Self::recv).
    pub async fn recv_owned(&mut self) -> Result<Option<OwnedFrame<Rx>>, RecvError> {
        poll_fn(|cx| self.poll_owned(cx)).await
    }

    /// Receives the next frame as an [`OwnedFrame`] if one is queued.
    ///
    /// # Errors
    ///
    /// Those of [`try_recv`](Self::try_recv).
    pub fn try_recv_owned(&mut self) -> Result<Option<OwnedFrame<Rx>>, RecvError> {
        self.try_with(|inner| inner.recv_owned(Wait::Try))
    }

    /// Waits for the next frame, and returns its length in bytes without receiving it, or `None` at the end.
    /// See [`Receiver::peek_len`](crate::Receiver::peek_len).
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Self::recv).
    pub async fn peek_len(&mut self) -> Result<Option<usize>, RecvError> {
        let peek = |inner: &mut receiver::Receiver<Rx>| match inner.peek_len(Wait::Try) {
            Err(RecvError::WouldBlock) => {
                // Another holder may have set a peek offset, which hides a frame: no event comes for it.
                inner.fd().reset_peek_offset()?;
                inner.peek_len(Wait::Try)
            }
            result => result,
        };
        poll_fn(|cx| self.poll_with(cx, peek)).await
    }

    /// Returns the length of the next frame if one is queued.
    ///
    /// # Errors
    ///
    /// Those of [`peek_len`](Self::peek_len), and [`RecvError::WouldBlock`].
    pub fn try_peek_len(&mut self) -> Result<Option<usize>, RecvError> {
        self.try_with(|inner| inner.peek_len(Wait::Try))
    }

    /// Changes the limits for the frames received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.inner.set_limits(limits);
    }

    /// Returns `datagrams`, read earlier, before anything still in the socket. See
    /// [`Receiver::restore`](crate::Receiver::restore).
    pub fn restore(&mut self, unread: Vec<Vec<u8>>) {
        self.inner.restore(unread);
        self.unread.set(true);
    }

    /// Shuts down one or both directions: see [`Sender::shutdown`](crate::Sender::shutdown).
    ///
    /// # Errors
    ///
    /// Those of [`Sender::shutdown`](crate::Sender::shutdown).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inner.shutdown(how)
    }

    /// Returns the blocking receiver. Nothing is lost, also not a frame of which some pieces have arrived.
    #[must_use]
    pub fn into_blocking(mut self) -> receiver::Receiver<Rx> {
        self.inner.set_awaited(false);
        self.inner
    }

    /// Receives without waiting, and notes what was read before the reactor reported it.
    fn try_with<T>(
        &mut self,
        attempt: impl FnOnce(&mut receiver::Receiver<Rx>) -> Result<T, RecvError>,
    ) -> Result<T, RecvError> {
        let result = attempt(&mut self.inner);
        self.unread.set(self.inner.has_unread());
        result
    }

    /// Polls for the next frame, or part of a call. Its range is for the blocking receiver.
    pub(super) fn poll_range(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Range<usize>>, RecvError>> {
        self.poll_with(cx, |inner| inner.receive_range(Wait::Try))
    }

    /// Polls until the peer sends no more, without reading what it has sent.
    pub(super) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.unread.forget_event();
        self.registration.poll_closed(cx)
    }

    /// Polls for the next event, without a try to read. Something that came with the last event is not seen until
    /// then. Ready if `is_quiet` returns that the peer may have something to say, and if something was read and not
    /// received.
    pub(super) fn poll_quiet(
        &mut self,
        cx: &mut Context<'_>,
        is_quiet: impl FnOnce() -> bool,
    ) -> Poll<()> {
        match self.inner.has_unread() || self.unread.is_there() {
            true => Poll::Ready(()),
            false => self.registration.poll_event(cx, is_quiet),
        }
    }

    pub(super) fn inner_mut(&mut self) -> &mut receiver::Receiver<Rx> {
        &mut self.inner
    }

    fn poll_owned(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<OwnedFrame<Rx>>, RecvError>> {
        self.poll_with(cx, |inner| inner.recv_owned(Wait::Try))
    }

    #[inline]
    fn poll_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&mut receiver::Receiver<Rx>) -> Result<T, RecvError>,
    ) -> Poll<Result<T, RecvError>> {
        let Self { inner, registration, unread, .. } = self;
        if ready!(unread.poll(cx)) {
            let result = attempt(inner);
            unread.set(inner.has_unread());
            match result {
                Err(RecvError::WouldBlock) => unread.found_nothing(),
                Err(RecvError::Unfinished { .. }) if unread.is_there() => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Err(RecvError::Unfinished { .. }) => {}
                result => return Poll::Ready(result),
            }
        }
        registration.poll_read(cx, || attempt(inner))
    }
}

impl<Rx: Message> Stream for Receiver<Rx> {
    type Item = Result<OwnedFrame<Rx>, RecvError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let item = ready!(self.poll_owned(cx)).transpose();
        self.is_done = match &item {
            Some(Ok(_)) => false,
            Some(Err(error)) => error.is_fatal(),
            None => true,
        };
        Poll::Ready(item)
    }
}

impl<Rx> AsFd for Receiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Rx> AsRawFd for Receiver<Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Rx> fmt::Debug for Receiver<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.inner).finish()
    }
}
