//! A blocking receiver that waits with the reactor, for both kinds of async receivers.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use ::tokio::time::timeout_at;

use super::arrivals::{Arrivals, end_attempt};
use super::unread::Unread;
use crate::error::RecvError;

/// A receiver that may hold datagrams that it has already read.
pub(super) trait Reads {
    /// Returns whether the next receive may need no read.
    fn has_unread(&self) -> bool;
}

/// A receiver `R`, and its arrivals.
#[derive(Debug)]
pub(super) struct Inbound<R> {
    inner: R,
    arrivals: Arrivals,
    unread: Unread,
}

impl<R: Reads> Inbound<R> {
    pub(super) fn new(inner: R, arrivals: Arrivals) -> Self {
        let unread = Unread::new(inner.has_unread());
        Self { inner, arrivals, unread }
    }

    /// Calls `f`, which does not wait, and then notes whether the receiver holds anything unread.
    #[inline]
    pub(super) fn with<T>(&mut self, f: impl FnOnce(&mut R) -> T) -> T {
        let result = f(&mut self.inner);
        self.unread.set(self.inner.has_unread());
        result
    }

    /// Polls `attempt` until it returns something other than [`RecvError::WouldBlock`]. Counts against the task's
    /// budget.
    #[inline]
    pub(super) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&mut R) -> Result<T, RecvError>,
    ) -> Poll<Result<T, RecvError>> {
        if ready!(self.unread.poll(cx)) {
            match self.look(&mut attempt) {
                Err(RecvError::WouldBlock) => {}
                result => return end_attempt(cx, result),
            }
        }
        let polled = self.arrivals.poll_read(cx, || attempt(&mut self.inner));
        self.unread.set(self.inner.has_unread());
        match polled {
            Poll::Ready(Ok(_)) => self.add_to_streak(),
            _ => self.unread.streak.end(),
        }
        polled
    }

    /// Calls `attempt` once, without asking the reactor, and without ending a streak. Returns `None` if nothing is
    /// queued. The task is not woken when more comes.
    #[inline]
    pub(super) fn look_once<T>(
        &mut self,
        cx: &mut Context<'_>,
        attempt: impl FnMut(&mut R) -> Result<T, RecvError>,
    ) -> Option<Result<T, RecvError>> {
        let result = self.with(attempt);
        if matches!(result, Err(RecvError::WouldBlock)) {
            return None;
        }
        match end_attempt(cx, result) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    /// Receives without asking the reactor. May look several times.
    #[inline]
    fn look<T>(
        &mut self,
        mut attempt: impl FnMut(&mut R) -> Result<T, RecvError>,
    ) -> Result<T, RecvError> {
        loop {
            let was_there = self.unread.is_there();
            let result = self.with(&mut attempt);
            match &result {
                // That does not make another frame likely.
                Ok(_) if was_there => {}
                Ok(_) => self.add_to_streak(),
                Err(RecvError::WouldBlock) if self.unread.streak.looks_again() => continue,
                Err(RecvError::WouldBlock) => self.unread.found_nothing(),
                Err(RecvError::Unfinished { .. }) => {}
                Err(_) => self.unread.streak.end(),
            }
            return result;
        }
    }

    #[inline]
    fn add_to_streak(&mut self) {
        if self.unread.streak.add() {
            self.arrivals.unregister();
        }
    }

    /// Notes that the endpoint was used to send.
    #[inline]
    pub(super) fn note_send(&mut self) {
        self.arrivals.note_send();
    }

    /// Polls until the peer sends no more, without reading its frames.
    pub(super) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.unread.forget_event();
        self.arrivals.poll_closed(cx)
    }

    /// Polls for the next event without trying to read. Does not see data of the last event that was not read. Ready at
    /// once if anything was read but not received, or if `is_quiet` returns `false`: the peer may have sent more.
    pub(super) fn poll_quiet(
        &mut self,
        cx: &mut Context<'_>,
        is_quiet: impl FnOnce() -> bool,
    ) -> Poll<()> {
        if self.inner.has_unread() || self.unread.is_there() {
            return Poll::Ready(());
        }
        let polled = self.arrivals.poll_event(cx, is_quiet);
        if polled.is_pending() {
            self.unread.streak.end();
        }
        polled
    }

    /// Repeats `attempt` like [`poll`](Self::poll) until `deadline`. Then fails with [`RecvError::TimedOut`].
    pub(super) async fn until<T>(
        &mut self,
        deadline: Instant,
        mut attempt: impl FnMut(&mut R) -> Result<T, RecvError>,
    ) -> Result<T, RecvError> {
        let received = poll_fn(|cx| self.poll(cx, &mut attempt));
        let received = timeout_at(deadline.into(), received).await;
        // The reactor may not have reported the last frame yet, so try once more.
        match received.unwrap_or_else(|_| self.with(attempt)) {
            Err(RecvError::WouldBlock) => Err(RecvError::TimedOut),
            result => result,
        }
    }
}

impl<R> Inbound<R> {
    pub(super) fn inner(&self) -> &R {
        &self.inner
    }

    /// Returns the receiver, to lend a frame from it.
    pub(super) fn inner_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }
}
