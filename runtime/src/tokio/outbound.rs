//! The async side of a sender.

use std::future::poll_fn;
use std::time::Instant;

use ::tokio::task::coop::poll_proceed;
use ::tokio::time;

use super::room::Room;
use crate::error::{SendAllError, SendError};
use crate::sys::DatagramFd;

/// A descriptor to send to. A clone waits for room by itself.
#[derive(Debug, Clone)]
pub(super) struct Outbound {
    fd: DatagramFd,
    room: Room,
}

impl Outbound {
    pub(super) fn new(fd: DatagramFd) -> Self {
        Self { fd, room: Room::default() }
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
            Err(SendError::WouldBlock { .. }) => self.room.write(&self.fd, attempt).await,
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
