//! Waits for datagrams with the reactor.
//!
//! While a descriptor is registered, the kernel tells the reactor of each datagram, which takes an eighth of the CPU
//! time of its sender (AMD EPYC, measured). So a receiver ends its registration while datagrams come faster than the
//! reactor could report them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::tokio::io::Interest;
use ::tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use ::tokio::runtime::Handle;
use ::tokio::task::coop::poll_proceed;
use ::tokio::time::{Sleep, sleep};

use crate::error::RecvError;
use crate::sys::{self, DatagramFd, RecvState};
use crate::transport::check_shutdown;

/// The number of messages sent after which a registration that no task has used meanwhile ends.
const UNUSED: u16 = 1024;

/// The pause before a retry, if the kernel refuses a registration.
const PAUSE: Duration = Duration::from_millis(10);

/// An event that the reactor has reported.
type Ready<'a> = AsyncFdReadyGuard<'a, DatagramFd>;

/// A descriptor that is registered for reading, except while its receiver does without the reactor.
#[derive(Debug)]
pub(super) struct Arrivals {
    registered: Option<AsyncFd<DatagramFd>>,
    /// Whether a task may wait for an event, so that the registration must stay.
    is_awaited: bool,
    /// How many messages were sent since a task last polled for an event, at most `UNUSED`.
    sent: u16,
    fd: DatagramFd,
    /// The runtime in which the endpoint was created.
    runtime: Handle,
    /// While the kernel refuses a registration: wakes the task for a retry.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Arrivals {
    /// Registers with the reactor of the current runtime. All calls on the descriptor are non-blocking by
    /// themselves (`MSG_DONTWAIT`), so it stays as it is.
    #[track_caller]
    pub(super) fn new(fd: DatagramFd) -> io::Result<Self> {
        let registered = Some(register(fd.clone())?);
        Ok(Self {
            registered,
            is_awaited: false,
            sent: 0,
            fd,
            runtime: Handle::current(),
            pause: None,
        })
    }

    /// Ends the registration until the next poll.
    pub(super) fn unregister(&mut self) {
        self.registered = None;
    }

    /// Notes that the endpoint was used to send. One that only sends needs no registration.
    #[inline]
    pub(super) fn note_send(&mut self) {
        self.sent = UNUSED.min(self.sent + 1);
        if self.sent == UNUSED && !self.is_awaited {
            self.unregister();
        }
    }

    /// Polls `attempt`, which receives without waiting, until it returns something other than
    /// [`RecvError::WouldBlock`]. Counts against the task's budget.
    #[inline]
    pub(super) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut() -> Result<T, RecvError>,
    ) -> Poll<Result<T, RecvError>> {
        loop {
            let ready = ready!(self.poll_ready(cx))?;
            match attempt() {
                Err(RecvError::WouldBlock) => {}
                result => return end_attempt(cx, result),
            }
            let Some(mut ready) = ready else {
                check_shutdown(&self.fd)?;
                return Poll::Pending;
            };
            // The reactor keeps reporting it: without this, the loop would not end.
            if ready.ready().is_read_closed() {
                check_shutdown(ready.get_inner())?;
            }
            ready.clear_ready();
        }
    }

    /// Polls until the peer sends no more. Forgets that there is something to read.
    pub(super) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match ready!(self.poll_ready(cx)) {
                Ok(None) => {
                    return match sys::recv_state(&self.fd) {
                        Ok(RecvState::Open) => Poll::Pending,
                        _ => Poll::Ready(()),
                    };
                }
                Ok(Some(mut ready)) if !ready.ready().is_read_closed() => ready.clear_ready(),
                // A read reports the reason.
                _ => return Poll::Ready(()),
            }
        }
    }

    /// Polls for an event after the last one. Ready at once if `is_quiet` returns `false`: the peer may have sent more.
    pub(super) fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
        is_quiet: impl FnOnce() -> bool,
    ) -> Poll<()> {
        if let Poll::Ready(Ok(Some(mut ready))) = self.poll_ready(cx) {
            // If the peer is not quiet, an earlier event is still set. Clearing does not lose a later event.
            if ready.ready().is_read_closed() || !is_quiet() {
                return Poll::Ready(());
            }
            ready.clear_ready();
        }
        match ready!(self.poll_ready(cx)) {
            Ok(None) => Poll::Pending,
            _ => Poll::Ready(()),
        }
    }

    /// Polls until the reactor has reported something to read. A new registration reports what is already queued.
    /// Without a registration, `None`: the task is woken after a pause.
    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Ready<'_>>, RecvError>> {
        (self.is_awaited, self.sent) = (true, 0);
        if self.registered.is_none() {
            self.register(cx)?;
        }
        let Some(registered) = &self.registered else {
            // As `poll_read_ready` does.
            ready!(poll_proceed(cx)).made_progress();
            return Poll::Ready(Ok(None));
        };
        let ready = ready!(registered.poll_read_ready(cx));
        self.is_awaited = false;
        Poll::Ready(ready.map(Some).map_err(RecvError::Io))
    }

    /// Registers again. While the kernel refuses, because it lacks memory or the user watches too many descriptors,
    /// wakes the task after pauses instead. Fails if the runtime has ended.
    #[cold]
    fn register(&mut self, cx: &mut Context<'_>) -> Result<(), RecvError> {
        let _context = self.runtime.enter();
        loop {
            // Before the pause is polled, which panics if the runtime has ended.
            match register(self.fd.clone()) {
                Ok(registered) => {
                    self.registered = Some(registered);
                    self.pause = None;
                    return Ok(());
                }
                Err(error) if error.raw_os_error().is_none() => return Err(RecvError::Io(error)),
                Err(_) => {}
            }
            let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(PAUSE)));
            if pause.as_mut().poll(cx).is_pending() {
                return Ok(());
            }
            self.pause = None;
        }
    }
}

#[track_caller]
fn register(fd: DatagramFd) -> io::Result<AsyncFd<DatagramFd>> {
    sys::register(fd, Interest::READABLE)
}

/// Ends an attempt whose `result` is not [`RecvError::WouldBlock`]. Gives other tasks a turn if it may have read many
/// datagrams.
#[inline]
pub(super) fn end_attempt<T>(
    cx: &mut Context<'_>,
    result: Result<T, RecvError>,
) -> Poll<Result<T, RecvError>> {
    match &result {
        // More is queued, but other tasks come first.
        Err(RecvError::Unfinished { .. }) => {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // It may have discarded many pieces: other tasks come before the next receive.
        Err(RecvError::BadFragment(_)) => end_turn(cx),
        _ => {}
    }
    Poll::Ready(result)
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use std::future::poll_fn;

    use ::tokio::time::timeout;

    use super::*;

    #[::tokio::test]
    async fn the_end_is_noticed_without_a_registration() {
        let (theirs, ours) = DatagramFd::pair().unwrap();
        let mut arrivals = Arrivals::new(ours.clone()).unwrap();
        arrivals.unregister();
        // The reactor refuses a second registration.
        let _other = register(ours).unwrap();
        let polled = poll_fn(|cx| Poll::Ready(arrivals.poll_closed(cx))).await;
        assert!(polled.is_pending() && arrivals.pause.is_some());
        drop(theirs);
        let closed = poll_fn(|cx| arrivals.poll_closed(cx));
        timeout(Duration::from_secs(60), closed).await.unwrap();
    }
}
