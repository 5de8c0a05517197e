//! Sends over vsock, where the kernel may accept part of a datagram.
//!
//! If there is room for a part, the kernel accepts that part, and waits for room for the rest. If it may not
//! wait, or a signal or a timeout ends the wait, the call fails as if nothing was accepted, and the kernel
//! appends the next datagram to the part (net/vmw_vsock/af_vsock.c, vsock_connectible_sendmsg). So this file shuts
//! down the connection after a part: the peer then receives the end, and never the part.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use crate::sys::{self, DatagramFd, Readiness};
use crate::transport::wait::NotReady;
use crate::wait::Wait;

/// How often a wait checks whether the connection has ended: a poll does not always report it.
const RECHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Sends a datagram whole, or shuts down the sending direction. Once part of the datagram is accepted, only a
/// deadline ends the wait.
pub(super) fn send_whole(
    fd: &DatagramFd,
    slices: &[IoSlice<'_>],
    wait: Wait,
) -> Result<(), NotReady> {
    let deadline = match wait {
        Wait::Block => None,
        Wait::Try if has_room(fd, Instant::now())? => None,
        Wait::Try => return Err(NotReady::WouldBlock),
        Wait::Until(deadline) if has_room(fd, deadline)? => Some(deadline),
        Wait::Until(_) => return Err(NotReady::TimedOut),
    };
    let Err(error) = sys::send_whole(fd, slices, deadline) else { return Ok(()) };
    if let ErrorKind::WouldBlock | ErrorKind::Interrupted = error.kind() {
        // If this fails, the connection has already ended.
        _ = fd.shutdown(Shutdown::Write);
    }
    match (error.kind(), deadline) {
        (ErrorKind::WouldBlock, Some(_)) => Err(NotReady::TimedOut),
        _ => Err(error.into()),
    }
}

/// Waits for room for a byte, until `deadline` at the latest.
fn has_room(fd: &DatagramFd, deadline: Instant) -> io::Result<bool> {
    loop {
        // Sends nothing, but reports errors.
        sys::send(fd, &[], &[], None, false)?;
        let until = deadline.min(Instant::now() + RECHECK_INTERVAL);
        let ready = sys::wait(fd.as_fd(), Readiness::Writable, Some(until))?;
        if ready || until == deadline {
            return Ok(ready);
        }
    }
}
