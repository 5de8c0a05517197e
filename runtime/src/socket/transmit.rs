//! Sending one frame, and what the kernel's refusals mean.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::AsFd;
use std::time::Duration;

use super::wait::{NotReady, Wait};
use crate::backoff::Backoff;
use crate::error::SendError;
use crate::sys::{self, DatagramFd, Errno, Name, Readiness, errno};

/// The longest pause before another try, where the kernel cannot tell when there is room.
const MAX_PAUSE: Duration = Duration::from_millis(10);

/// Sends `pieces`, `len` bytes in all, as one frame: to `to`, or to the connected peer.
#[inline]
pub(crate) fn transmit(
    fd: &DatagramFd,
    pieces: &[IoSlice<'_>],
    len: usize,
    to: Option<&Name>,
    wait: Wait,
) -> Result<(), SendError> {
    match sys::send(fd, pieces, to, wait.blocks()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => persist(fd, pieces, len, to, wait),
        Err(error) => Err(refusal(fd, len, to, error)),
    }
}

/// Tries again until there is room.
///
/// Polling comes second to trying, as a socket counts as writable only once most of its queue is
/// free. And a UNIX datagram socket counts as writable while its *receiver's* queue is full: there,
/// after a poll that told nothing, pauses take over.
#[cold]
fn persist(
    fd: &DatagramFd,
    pieces: &[IoSlice<'_>],
    len: usize,
    to: Option<&Name>,
    wait: Wait,
) -> Result<(), SendError> {
    let mut backoff = Backoff::up_to(MAX_PAUSE);
    loop {
        wait.ready(fd.as_fd(), Readiness::Writable).map_err(|reason| match reason {
            NotReady::WouldBlock => SendError::WouldBlock { len },
            NotReady::TimedOut => SendError::TimedOut { len },
            NotReady::Io(source) => SendError::Io { len, source },
        })?;
        match sys::send(fd, pieces, to, false) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !backoff.wait_until(wait.deadline()) {
                    return Err(SendError::TimedOut { len });
                }
            }
            Err(error) => return Err(refusal(fd, len, to, error)),
        }
    }
}

#[cold]
fn refusal(fd: &DatagramFd, len: usize, to: Option<&Name>, source: io::Error) -> SendError {
    match source.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::NotConnected => {
            SendError::Disconnected
        }
        ErrorKind::ConnectionRefused if to.is_none() => SendError::Disconnected,
        ErrorKind::ConnectionRefused | ErrorKind::NotFound => SendError::Refused,
        _ if errno(&source) == Errno::TooLong => SendError::TooLarge { len, max: fd.max_len() },
        _ => SendError::Io { len, source },
    }
}
