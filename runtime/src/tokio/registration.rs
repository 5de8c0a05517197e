//! A descriptor that is registered with the runtime's reactor, and the loops that wait for it.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::task::coop::poll_proceed;
use ::tokio::time;

use super::room::Room;
use crate::error::{RecvError, SendAllError, SendError};
use crate::sys::{self, DatagramFd};
use crate::transport::check_shutdown;

/// A descriptor that is registered for reading. Clones share the registration, which ends with the last one.
#[derive(Debug, Clone)]
pub(super) struct Registration {
    reader: Arc<AsyncFd<DatagramFd>>,
    room: Room,
}

impl Registration {
    /// Registers with the reactor of the current runtime. All calls on the descriptor are non-blocking by
    /// themselves (`MSG_DONTWAIT`), so it stays as it is.
    #[track_caller]
    pub(super) fn new(fd: DatagramFd) -> io::Result<Self> {
        let registered = sys::register(fd, Interest::READABLE)?;
        Ok(Self { reader: Arc::new(registered), room: Room::default() })
    }

    /// Polls `attempt`, which receives without waiting, until it returns something other than
    /// [`RecvError::WouldBlock`]. Counts against the task's budget. At most one task may poll at a time: the
    /// reader.
    #[inline]
    pub(super) fn poll_read<T>(
        &self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut() -> Result<T, RecvError>,
    ) -> Poll<Result<T, RecvError>> {
        loop {
            let mut ready = ready!(self.reader.poll_read_ready(cx)).map_err(RecvError::Io)?;
            match attempt() {
                Err(RecvError::WouldBlock) => {
                    // The reactor keeps reporting it: without this, the loop would not end.
                    if ready.ready().is_read_closed() {
                        check_shutdown(self.reader.get_ref())?;
                    }
                    ready.clear_ready();
                }
                // More is queued, but other tasks come first.
                Err(RecvError::Unfinished { .. }) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // It may have discarded many pieces: other tasks come before the next receive.
                result @ Err(RecvError::BadFragment(_)) => {
                    end_turn(cx);
                    return Poll::Ready(result);
                }
                result => return Poll::Ready(result),
            }
        }
    }

    /// Polls until the peer sends no more. Forgets that there is something to read.
    pub(super) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match ready!(self.reader.poll_read_ready(cx)) {
                Ok(mut ready) if !ready.ready().is_read_closed() => ready.clear_ready(),
                // A read reports the reason.
                _ => return Poll::Ready(()),
            }
        }
    }

    /// Polls for an event after the last one. Ready at once if `is_quiet` returns `false`: the peer may have sent more.
    pub(super) fn poll_event(
        &self,
        cx: &mut Context<'_>,
        is_quiet: impl FnOnce() -> bool,
    ) -> Poll<()> {
        if let Poll::Ready(Ok(mut ready)) = self.reader.poll_read_ready(cx) {
            // If the peer is not quiet, an earlier event is still set. Clearing does not lose a later event.
            if ready.ready().is_read_closed() || !is_quiet() {
                return Poll::Ready(());
            }
            ready.clear_ready();
        }
        self.reader.poll_read_ready(cx).map(drop)
    }

    /// Repeats `attempt`, which sends without waiting, until it returns something other than
    /// [`SendError::WouldBlock`]. Counts against the task's budget. Clones may write at the same time.
    #[inline]
    pub(super) async fn write<T>(
        &mut self,
        mut attempt: impl FnMut() -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        poll_fn(|cx| poll_proceed(cx).map(|unit| unit.made_progress())).await;
        match attempt() {
            Err(SendError::WouldBlock { .. }) => {
                self.room.write(self.reader.get_ref(), attempt).await
            }
            result => {
                self.room.was_free();
                result
            }
        }
    }

    /// Notes that a datagram was sent without [`write`](Self::write), and had room.
    #[inline]
    pub(super) fn was_free(&mut self) {
        self.room.was_free();
    }

    /// Sends like [`write`](Self::write) until `deadline`. Then fails with [`SendError::TimedOut`].
    pub(super) async fn write_until(
        &mut self,
        deadline: Instant,
        mut attempt: impl FnMut() -> Result<usize, SendError>,
    ) -> Result<usize, SendError> {
        let written = time::timeout_at(deadline.into(), self.write(&mut attempt)).await;
        // The reactor may not have reported room yet, so try once more.
        match written.unwrap_or_else(|_| attempt()) {
            Err(SendError::WouldBlock { len }) => Err(SendError::TimedOut { len }),
            result => result,
        }
    }

    /// Sends `messages`, a datagram at a time, like [`write`](Self::write): each datagram counts against the task's
    /// budget. `attempt` sends one datagram with the first of its messages, and returns how many these are. Returns how
    /// many messages were sent.
    pub(super) async fn write_all<I: Iterator + Clone>(
        &mut self,
        mut messages: I,
        mut attempt: impl FnMut(I) -> Result<usize, SendAllError>,
    ) -> Result<usize, SendAllError> {
        let mut sent = 0;
        while messages.clone().next().is_some() {
            let first = || attempt(messages.clone()).map_err(|stopped| stopped.error);
            let count = self.write(first).await.map_err(|error| SendAllError { sent, error })?;
            sent += count;
            messages.nth(count.saturating_sub(1));
        }
        Ok(sent)
    }

    /// Repeats `attempt` like [`write`](Self::write). Returns how many messages all attempts have sent.
    pub(super) async fn write_batch(
        &mut self,
        mut attempt: impl FnMut() -> Result<usize, SendAllError>,
    ) -> Result<usize, SendAllError> {
        let mut sent = 0;
        let written = self.write(|| match attempt() {
            Ok(count) => {
                sent += count;
                Ok(())
            }
            Err(stopped) => {
                sent += stopped.sent;
                Err(stopped.error)
            }
        });
        let written = written.await;
        written.map(|()| sent).map_err(|error| SendAllError { sent, error })
    }
}

/// Uses up the task's budget, unless it has none.
#[cold]
fn end_turn(cx: &mut Context<'_>) {
    // The budget is 128.
    for _ in 0..128 {
        match poll_proceed(cx) {
            Poll::Ready(unit) => unit.made_progress(),
            Poll::Pending => return,
        }
    }
}
