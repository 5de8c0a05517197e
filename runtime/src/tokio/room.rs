//! Waits for room in a socket.
//!
//! An endpoint is registered for reading only. If it were registered for writing too, each frame that the peer
//! receives would wake the reactor, which costs a quarter of the CPU time of a round trip (AMD EPYC, measured).
//! So a sender that finds the socket full registers a duplicate of the descriptor. Some senders keep it while the
//! socket is often full: a registration costs four system calls and an allocation.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// How long a sender waits with a registration that it has kept. A sender may be awaited in several runtimes, so the
/// runtime of the registration may have ended or paused: then the sender registers with the current one.
const MAX_TRUST: Duration = Duration::from_millis(100);

/// How often a waiting sender tries to send, because the kernel does not report that the peer has shut down reading, or
/// that another holder has shut down this direction.
const RECHECK: Duration = Duration::from_secs(1);

/// The number of sends in a row without a wait after which a sender drops its registration.
const MAX_FREE: u32 = 1024;

/// The most senders of the process that keep their registration, because each has a descriptor.
const MAX_KEPT: usize = 16;

/// How many senders keep their registration.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// How a sender waits for room. A clone has its own registration.
#[derive(Debug, Default)]
pub(super) struct Room(Option<Kept>);

/// A registration to use again.
#[derive(Debug)]
struct Kept {
    writer: AsyncFd<OwnedFd>,
    /// After how many more sends without a wait it is dropped.
    left: u32,
}

impl Room {
    /// Notes that a send did not have to wait.
    #[inline]
    pub(super) fn was_free(&mut self) {
        if let Some(kept) = &mut self.0 {
            kept.left -= 1;
            if kept.left == 0 {
                self.0 = None;
            }
        }
    }

    /// Waits for room, and repeats `attempt`, which sends without waiting, until it returns something other than
    /// [`SendError::WouldBlock`].
    #[cold]
    pub(super) async fn write<T>(
        &mut self,
        fd: &DatagramFd,
        mut attempt: impl FnMut() -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        if let Some(kept) = &mut self.0 {
            kept.left = MAX_FREE;
            let written = time::timeout(MAX_TRUST, write(Some(&kept.writer), &mut attempt));
            if let Ok(Ok(result)) = written.await {
                return result;
            }
        }
        // Drop the old registration first, to free its place.
        self.0 = None;
        self.0 = Kept::new(fd);
        let failed = |source| SendError::Io { len: 0, source };
        let registered = match &self.0 {
            Some(_) => None,
            None => match register(fd) {
                // Without a descriptor or memory for one, retries after pauses.
                Err(error) if error.raw_os_error().is_some() => None,
                registered => Some(registered.map_err(failed)?),
            },
        };
        let writer = self.0.as_ref().map(|kept| &kept.writer).or(registered.as_ref());
        loop {
            let written = time::timeout(RECHECK, write(writer, &mut attempt));
            let result = match written.await {
                Ok(written) => written.map_err(failed)?,
                Err(_) => attempt(),
            };
            if !matches!(result, Err(SendError::WouldBlock { .. })) {
                return result;
            }
        }
    }
}

impl Clone for Room {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Kept {
    /// Registers a sender if it may keep the registration.
    fn new(fd: &DatagramFd) -> Option<Self> {
        let reserve = |kept| (kept < MAX_KEPT).then_some(kept + 1);
        KEPT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, reserve).ok()?;
        let kept = register(fd).map(|writer| Self { writer, left: MAX_FREE });
        if kept.is_err() {
            KEPT.fetch_sub(1, Ordering::Relaxed);
        }
        kept.ok()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        KEPT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Registers `fd` for writing. The kernel reports room that it finds at the registration, so no room is missed.
fn register(fd: &DatagramFd) -> io::Result<AsyncFd<OwnedFd>> {
    sys::register_duplicate(fd.as_fd(), Interest::WRITABLE)
}

/// Repeats `attempt`, when the reactor reports room or else after pauses, until it returns something other than
/// [`SendError::WouldBlock`]. Fails if the runtime of the registration has ended.
async fn write<T>(
    writer: Option<&AsyncFd<OwnedFd>>,
    mut attempt: impl FnMut() -> Result<T, SendError>,
) -> io::Result<Result<T, SendError>> {
    let mut backoff = Backoff::up_to(MAX_PAUSE);
    loop {
        let result = match writer {
            Some(writer) => poll_fn(|cx| poll_write(writer, cx, &mut attempt)).await?,
            None => attempt(),
        };
        match result {
            // No event reports when that ends.
            Err(SendError::WouldBlock { .. }) => time::sleep(backoff.next_pause()).await,
            result => return Ok(result),
        }
    }
}

/// Waits for room, and repeats `attempt`. Returns [`SendError::WouldBlock`] if the kernel reports room but there
/// is none: a UNIX datagram socket is writable while the queue of its receiver is full, and any UNIX socket while
/// too many descriptors are in flight.
fn poll_write<T>(
    registered: &AsyncFd<OwnedFd>,
    cx: &mut Context<'_>,
    attempt: &mut impl FnMut() -> Result<T, SendError>,
) -> Poll<io::Result<Result<T, SendError>>> {
    loop {
        let mut ready = ready!(registered.poll_write_ready(cx))?;
        match attempt() {
            Err(SendError::WouldBlock { .. }) if !is_writable(registered.get_ref()) => {
                ready.clear_ready();
            }
            // Perhaps room appeared only after the attempt.
            Err(SendError::WouldBlock { .. }) => return Poll::Ready(Ok(attempt())),
            result => return Poll::Ready(Ok(result)),
        }
    }
}

/// Returns whether the kernel reports the socket as writable now.
fn is_writable(fd: &OwnedFd) -> bool {
    // If the poll fails, the answer is unknown: retry after a pause.
    sys::wait(fd.as_fd(), Readiness::Writable, Some(Instant::now())).unwrap_or(true)
}
