//! Waits until a descriptor is ready, or for a pause.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::error::RecvError;
use crate::sys::{self, Readiness};
use crate::wait::Wait;

/// The longest pause before a retry, if the kernel cannot report readiness.
pub(super) const MAX_PAUSE: Duration = Duration::from_millis(10);

/// Why a wait ended without readiness.
#[derive(Debug)]
pub(super) enum NotReady {
    WouldBlock,
    TimedOut,
    Io(io::Error),
}

impl From<io::Error> for NotReady {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<NotReady> for RecvError {
    fn from(reason: NotReady) -> Self {
        match reason {
            NotReady::WouldBlock => Self::WouldBlock,
            NotReady::TimedOut => Self::TimedOut,
            NotReady::Io(error) => Self::Io(error),
        }
    }
}

impl Wait {
    /// Returns the deadline of a wait, `None` for no deadline. `WouldBlock` if no wait is allowed.
    fn deadline(self) -> Result<Option<Instant>, NotReady> {
        match self {
            Self::Block => Ok(None),
            Self::Try => Err(NotReady::WouldBlock),
            Self::Until(deadline) => Ok(Some(deadline)),
        }
    }

    /// Pauses before a retry, if the kernel cannot report readiness.
    pub(super) fn pause(self, backoff: &mut Backoff) -> Result<(), NotReady> {
        let deadline = self.deadline()?;
        match backoff.wait_until(deadline) {
            true => Ok(()),
            false => Err(NotReady::TimedOut),
        }
    }

    /// Waits for `readiness`, after a call failed with EAGAIN.
    pub(super) fn ready(self, fd: BorrowedFd<'_>, readiness: Readiness) -> Result<(), NotReady> {
        let deadline = self.deadline()?;
        match sys::wait(fd, readiness, deadline)? {
            true => Ok(()),
            false => Err(NotReady::TimedOut),
        }
    }
}
