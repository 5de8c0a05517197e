//! Waiting: for a descriptor, and for a while.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::error::RecvError;
use crate::sys::{self, Readiness};
use crate::wait::Wait;

/// The longest pause before another try, where the kernel cannot tell when it is worth one.
pub(super) const MAX_PAUSE: Duration = Duration::from_millis(10);

/// Why waiting brought nothing.
#[derive(Debug)]
pub(crate) enum NotReady {
    WouldBlock,
    TimedOut,
    Io(io::Error),
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
    /// Whether the system call itself may do the waiting.
    pub(crate) fn blocks(self) -> bool {
        matches!(self, Self::Block)
    }

    /// When waiting ends, if it may begin.
    pub(super) fn deadline(self) -> Result<Option<Instant>, NotReady> {
        match self {
            Self::Block => Ok(None),
            Self::Try => Err(NotReady::WouldBlock),
            Self::Until(deadline) => Ok(Some(deadline)),
        }
    }

    /// Waits a little before another try, where the kernel cannot tell when it is worth one.
    pub(super) fn pause(self, backoff: &mut Backoff) -> Result<(), NotReady> {
        let deadline = self.deadline()?;
        match backoff.wait_until(deadline) {
            true => Ok(()),
            false => Err(NotReady::TimedOut),
        }
    }

    /// Waits for `readiness` after a call has answered that it would have to.
    pub(super) fn ready(self, fd: BorrowedFd<'_>, readiness: Readiness) -> Result<(), NotReady> {
        let deadline = self.deadline()?;
        match sys::wait(fd, readiness, deadline) {
            Ok(true) => Ok(()),
            Ok(false) => Err(NotReady::TimedOut),
            Err(error) => Err(NotReady::Io(error)),
        }
    }
}
