//! Waits for room in a socket.
//!
//! An endpoint is registered for reading only. If it were registered for writing too, each frame that the peer
//! receives would wake the reactor, which costs a quarter of the CPU time of a round trip (AMD EPYC, measured).
//! So a sender that finds the socket full registers a duplicate of the descriptor, until there is room.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::time;

use crate::backoff::Backoff;
use crate::error::SendError;
use crate::sys::{self, DatagramFd, Readiness};

/// The longest pause before a retry, if the kernel cannot report readiness.
const MAX_PAUSE: Duration = Duration::from_millis(10);

/// Waits for room, and repeats `attempt`, which sends without waiting, until it returns something other than
/// [`SendError::WouldBlock`].
#[cold]
pub(super) async fn write<T>(
    fd: &DatagramFd,
    mut attempt: impl FnMut() -> Result<T, SendError>,
) -> Result<T, SendError> {
    // The kernel reports room that it finds at the registration, so no room is missed.
    let registered = register(fd);
    let mut backoff = Backoff::up_to(MAX_PAUSE);
    loop {
        let result = match &registered {
            Ok(registered) => poll_fn(|cx| poll_write(registered, cx, &mut attempt)).await,
            // The process has no descriptor left, or the kernel no memory: retry after pauses.
            Err(_) => attempt(),
        };
        match result {
            // No event tells when that ends.
            Err(SendError::WouldBlock { .. }) => time::sleep(backoff.next_pause()).await,
            result => return result,
        }
    }
}

/// Registers a duplicate: the reactor knows the descriptor itself already.
fn register(fd: &DatagramFd) -> io::Result<AsyncFd<OwnedFd>> {
    sys::register(fd.as_fd().try_clone_to_owned()?, Interest::WRITABLE)
}

/// Waits for room, and repeats `attempt`. Returns [`SendError::WouldBlock`] if the kernel reports room that there
/// is not: a UNIX datagram socket is writable while the queue of its receiver is full, and any UNIX socket while
/// too many descriptors are in flight.
fn poll_write<T>(
    registered: &AsyncFd<OwnedFd>,
    cx: &mut Context<'_>,
    attempt: &mut impl FnMut() -> Result<T, SendError>,
) -> Poll<Result<T, SendError>> {
    loop {
        let ready = ready!(registered.poll_write_ready(cx));
        let mut ready = ready.map_err(|source| SendError::Io { len: 0, source })?;
        match attempt() {
            Err(SendError::WouldBlock { .. }) if !is_writable(registered.get_ref()) => {
                ready.clear_ready();
            }
            result => return Poll::Ready(result),
        }
    }
}

/// Returns whether the kernel reports the socket as writable now.
fn is_writable(fd: &OwnedFd) -> bool {
    // A poll that fails cannot tell: retry after a pause.
    sys::wait(fd.as_fd(), Readiness::Writable, Some(Instant::now())).unwrap_or(true)
}
