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

use futures_core::Stream;

use super::arrivals::Arrivals;
use super::inbound::{Inbound, Reads};
use crate::error::RecvError;
use crate::frame::Frame;
use crate::limits::Limits;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::receiver;
use crate::wait::Wait;

/// The receiving half of a [`Connection`](super::Connection), for messages of type `Rx`.
///
/// All methods are cancel-safe: if a future is dropped, no frame is lost. The pieces of an incomplete large frame stay
/// in the receiver, and the next call continues with them.
///
/// A receiver is also a [`Stream`][stream] of [`OwnedFrame`]s. The stream ends with the connection, and after a
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
///
/// [stream]: https://docs.rs/futures-core/latest/futures_core/stream/trait.Stream.html
pub struct Receiver<Rx> {
    inbound: Inbound<receiver::Receiver<Rx>>,
    /// Whether a stream has ended.
    is_done: bool,
}

impl<Rx: Message> Receiver<Rx> {
    pub(super) fn new(mut inner: receiver::Receiver<Rx>, arrivals: Arrivals) -> Self {
        inner.set_awaited(true);
        Self { inbound: Inbound::new(inner, arrivals), is_done: false }
    }

    /// Receives the next frame, or `None` at the end. See [`Receiver::recv`](crate::Receiver::recv).
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::recv`](crate::Receiver::recv).
    pub async fn recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        let frame = poll_fn(|cx| self.inbound.poll(cx, receive)).await?;
        Ok(self.lend(frame))
    }

    /// Receives the next frame if one is queued. See [`Receiver::try_recv`](crate::Receiver::try_recv).
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::try_recv`](crate::Receiver::try_recv).
    pub fn try_recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        let frame = self.inbound.with(receive)?;
        Ok(self.lend(frame))
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
        let frame = self.inbound.until(deadline, receive).await?;
        Ok(self.lend(frame))
    }

    /// Receives the next frame as an [`OwnedFrame`], which can be kept and moved to another task.
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Self::recv).
    pub async fn recv_owned(&mut self) -> Result<Option<OwnedFrame<Rx>>, RecvError> {
        poll_fn(|cx| self.inbound.poll(cx, receive_owned)).await
    }

    /// Receives the next frame as an [`OwnedFrame`] if one is queued.
    ///
    /// # Errors
    ///
    /// Those of [`try_recv`](Self::try_recv).
    pub fn try_recv_owned(&mut self) -> Result<Option<OwnedFrame<Rx>>, RecvError> {
        self.inbound.with(receive_owned)
    }

    /// Waits for the next frame, and returns its length in bytes without receiving it, or `None` at the end.
    /// See [`Receiver::peek_len`](crate::Receiver::peek_len).
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::peek_len`](crate::Receiver::peek_len) that do not depend on a `Wait`.
    pub async fn peek_len(&mut self) -> Result<Option<usize>, RecvError> {
        let peek = |inner: &mut receiver::Receiver<Rx>| match inner.peek_len(Wait::Try) {
            Err(RecvError::WouldBlock) => {
                // Another holder may have set a peek offset, which hides a frame: no event comes for it.
                inner.fd().reset_peek_offset()?;
                inner.peek_len(Wait::Try)
            }
            result => result,
        };
        poll_fn(|cx| self.inbound.poll(cx, peek)).await
    }

    /// Returns the length of the next frame if one is queued.
    ///
    /// # Errors
    ///
    /// Those of [`peek_len`](Self::peek_len), and [`RecvError::WouldBlock`].
    pub fn try_peek_len(&mut self) -> Result<Option<usize>, RecvError> {
        self.inbound.with(|inner| inner.peek_len(Wait::Try))
    }

    /// Returns how many bytes of an incomplete large frame have arrived. See
    /// [`Receiver::pending`](crate::Receiver::pending).
    #[must_use]
    pub fn pending(&self) -> usize {
        self.inbound.inner().pending()
    }

    /// Changes the limits for the frames received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.inbound.with(|inner| inner.set_limits(limits));
    }

    /// Makes the next receives return the datagrams in `unread`, before anything still in the socket. See
    /// [`Receiver::restore`](crate::Receiver::restore).
    pub fn restore(&mut self, unread: Vec<Vec<u8>>) {
        self.inbound.with(|inner| inner.restore(unread));
    }

    /// Shuts down one or both directions: see [`Sender::shutdown`](crate::Sender::shutdown).
    ///
    /// # Errors
    ///
    /// Those of [`Sender::shutdown`](crate::Sender::shutdown).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inbound.inner().shutdown(how)
    }

    /// Notes that the endpoint was used to send.
    #[inline]
    pub(super) fn note_send(&mut self) {
        self.inbound.note_send();
    }

    /// Returns the blocking receiver. Nothing is lost, not even the pieces of an incomplete frame.
    #[must_use]
    pub fn into_blocking(self) -> receiver::Receiver<Rx> {
        let mut inner = self.inbound.into_inner();
        inner.set_awaited(false);
        inner
    }

    /// Polls for the next frame, or part of a call. Its range is for the blocking receiver.
    pub(super) fn poll_range(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Range<usize>>, RecvError>> {
        self.inbound.poll(cx, receive)
    }

    /// Returns the range of the next part if one is queued: see [`Inbound::look_once`].
    pub(super) fn look_once(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<Result<Option<Range<usize>>, RecvError>> {
        self.inbound.look_once(cx, receive)
    }

    /// Polls until the peer sends no more, without reading its frames.
    pub(super) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inbound.poll_closed(cx)
    }

    /// Polls for the next event without trying to read: see [`Inbound::poll_quiet`].
    pub(super) fn poll_quiet(
        &mut self,
        cx: &mut Context<'_>,
        is_quiet: impl FnOnce() -> bool,
    ) -> Poll<()> {
        self.inbound.poll_quiet(cx, is_quiet)
    }

    /// Returns whether the next receive may need no read.
    pub(super) fn has_unread(&self) -> bool {
        self.inbound.inner().has_unread()
    }

    /// Calls `f`, which receives without waiting.
    pub(super) fn with<T>(&mut self, f: impl FnOnce(&mut receiver::Receiver<Rx>) -> T) -> T {
        self.inbound.with(f)
    }

    pub(super) fn inner_mut(&mut self) -> &mut receiver::Receiver<Rx> {
        self.inbound.inner_mut()
    }

    /// Lends the frame at `range`.
    #[inline]
    fn lend(&mut self, range: Option<Range<usize>>) -> Option<Frame<'_, Rx>> {
        range.map(|range| self.inbound.inner_mut().frame(range))
    }
}

#[inline]
fn receive<Rx: Message>(
    inner: &mut receiver::Receiver<Rx>,
) -> Result<Option<Range<usize>>, RecvError> {
    inner.receive_range(Wait::Try)
}

#[inline]
fn receive_owned<Rx: Message>(
    inner: &mut receiver::Receiver<Rx>,
) -> Result<Option<OwnedFrame<Rx>>, RecvError> {
    inner.recv_owned(Wait::Try)
}

impl<Rx: Message> Reads for receiver::Receiver<Rx> {
    fn has_unread(&self) -> bool {
        self.has_unread()
    }
}

impl<Rx: Message> Stream for Receiver<Rx> {
    type Item = Result<OwnedFrame<Rx>, RecvError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let item = ready!(self.inbound.poll(cx, receive_owned)).transpose();
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
        self.inbound.inner().as_fd()
    }
}

impl<Rx> AsRawFd for Receiver<Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inbound.inner().as_raw_fd()
    }
}

impl<Rx> fmt::Debug for Receiver<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(self.inbound.inner()).finish()
    }
}
