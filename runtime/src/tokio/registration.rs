//! A descriptor that is registered with the runtime's reactor, and the two loops that wait for it.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::time;

use crate::backoff::Backoff;
use crate::error::{RecvError, SendAllError, SendError};
use crate::sys::{self, DatagramFd, Readiness, RecvState};

/// The longest pause before a retry, if the kernel cannot report readiness.
const MAX_PAUSE: Duration = Duration::from_millis(10);

/// A registered descriptor. Clones share the registration, which ends with the last one.
#[derive(Debug, Clone)]
pub(super) struct Registration(Arc<AsyncFd<DatagramFd>>);

impl Registration {
    /// Registers with the reactor of the current runtime. All calls on the descriptor are non-blocking by
    /// themselves (`MSG_DONTWAIT`), so it stays as it is.
    pub(super) fn new(fd: DatagramFd) -> io::Result<Self> {
        let registered = sys::register(fd, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self(Arc::new(registered)))
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
            let mut ready = ready!(self.0.poll_read_ready(cx)).map_err(RecvError::Io)?;
            match attempt() {
                Err(RecvError::WouldBlock) => {
                    // The reactor keeps reporting it: without this, the loop would not end.
                    if ready.ready().is_read_closed() {
                        check_shutdown(self.0.get_ref())?;
                    }
                    ready.clear_ready();
                }
                // More is queued, but other tasks come first.
                Err(RecvError::Unfinished { .. }) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                result => return Poll::Ready(result),
            }
        }
    }

    /// Repeats `attempt`, which sends without waiting, until it returns something other than
    /// [`SendError::WouldBlock`]. Counts against the task's budget. Any number of tasks may call it.
    #[inline]
    pub(super) async fn write<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        let mut backoff = None;
        loop {
            let attempt = |fd: &DatagramFd| match attempt() {
                Err(SendError::WouldBlock { .. }) if !is_writable(fd) => {
                    Err(io::ErrorKind::WouldBlock.into())
                }
                result => Ok(result),
            };
            match self.0.async_io(Interest::WRITABLE, attempt).await {
                // A UNIX datagram socket is writable while the queue of its receiver is full, and any UNIX
                // socket while too many descriptors are in flight. No event tells when that ends.
                Ok(Err(SendError::WouldBlock { .. })) => {
                    let backoff = backoff.get_or_insert_with(|| Backoff::up_to(MAX_PAUSE));
                    time::sleep(backoff.next_pause()).await;
                }
                Ok(result) => return result,
                Err(source) => return Err(SendError::Io { len: 0, source }),
            }
        }
    }

    /// Sends like [`write`](Self::write) until `deadline`. Then fails with [`SendError::TimedOut`].
    pub(super) async fn write_until(
        &self,
        deadline: Instant,
        mut attempt: impl FnMut() -> Result<usize, SendError>,
    ) -> Result<usize, SendError> {
        let written = time::timeout_at(deadline.into(), self.write(&mut attempt)).await;
        // There may be room that the reactor has not reported yet: a last attempt tells.
        match written.unwrap_or_else(|_| attempt()) {
            Err(SendError::WouldBlock { len }) => Err(SendError::TimedOut { len }),
            result => result,
        }
    }

    /// Sends several messages like [`write`](Self::write). `attempt` gets the number of messages sent earlier, and
    /// sends the others. Returns how many were sent.
    pub(super) async fn write_all(
        &self,
        mut attempt: impl FnMut(usize) -> Result<usize, SendAllError>,
    ) -> Result<usize, SendAllError> {
        let mut sent = 0;
        let written = self.write(|| match attempt(sent) {
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

/// Fails if another holder has shut down a socket without a peer, which a non-blocking read does not report.
#[cold]
fn check_shutdown(fd: &DatagramFd) -> Result<(), RecvError> {
    match !fd.kind().is_connection() && sys::recv_state(fd)? == RecvState::Drained {
        true => Err(RecvError::Shutdown),
        false => Ok(()),
    }
}

/// Returns whether the kernel reports the socket as writable now.
#[cold]
fn is_writable(fd: &DatagramFd) -> bool {
    // A poll that fails cannot tell: retry after a pause.
    sys::wait(fd.as_fd(), Readiness::Writable, Some(Instant::now())).unwrap_or(true)
}
