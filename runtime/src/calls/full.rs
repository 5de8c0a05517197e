//! Decides how to wait for room in a full socket.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::sys::{self, Readiness};

/// The longest pause between retries, if the kernel cannot report room.
const MAX_PAUSE: Duration = Duration::from_millis(10);

/// A socket that had no room for a datagram. Create a new value for each wait.
#[derive(Debug, Default)]
pub(crate) struct Full(Option<Backoff>);

/// How to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HowToWait {
    /// Not at all: there may be room since the last attempt.
    Retry,
    /// Until the socket polls as writable.
    Poll,
    /// For a while.
    Pause(Duration),
}

impl Full {
    /// Returns how to wait after an attempt that found no room.
    ///
    /// A UNIX socket polls as writable while too many descriptors are in flight, or while the kernel has no memory.
    /// Polling would then spin, so this returns a pause.
    pub(crate) fn wait(&mut self, fd: BorrowedFd<'_>) -> HowToWait {
        // If the wait fails, sending fails too, and reports why.
        if !sys::wait(fd, Readiness::Writable, Some(Instant::now())).unwrap_or(true) {
            self.0 = None;
            return HowToWait::Poll;
        }
        match &mut self.0 {
            Some(backoff) => HowToWait::Pause(backoff.next_pause()),
            None => {
                self.0 = Some(Backoff::up_to(MAX_PAUSE));
                HowToWait::Retry
            }
        }
    }
}
