//! Sending over vsock, where the kernel may take a part of a datagram and leave the rest to the caller.
//!
//! A call that finds room for a part takes that part, and waits for room for the rest. If it may not
//! wait, or a signal or a timeout ends the wait, it fails as if it had taken nothing, and the next
//! datagram is glued to the part (net/vmw_vsock/af_vsock.c, vsock_connectible_sendmsg). A peer that
//! receives the end instead never sees the part.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use super::outgoing::Outgoing;
use crate::sys::{self, DatagramFd, Readiness};
use crate::transport::wait::NotReady;
use crate::wait::Wait;

/// How long a wait goes without looking whether the connection has ended: a poll does not always tell.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Sends a datagram whole, or else ends what is sent. A datagram that finds no room at all may be given
/// up. One that was begun is not, except at a deadline.
pub(super) fn send_whole(
    fd: &DatagramFd,
    outgoing: Outgoing<'_>,
    wait: Wait,
) -> Result<(), Result<NotReady, io::Error>> {
    let deadline = match wait {
        Wait::Block => None,
        Wait::Try if has_room(fd, Instant::now()).map_err(Err)? => None,
        Wait::Try => return Err(Ok(NotReady::WouldBlock)),
        Wait::Until(deadline) if has_room(fd, deadline).map_err(Err)? => Some(deadline),
        Wait::Until(_) => return Err(Ok(NotReady::TimedOut)),
    };
    let Err(error) = sys::send_whole(fd, outgoing.slices, deadline) else { return Ok(()) };
    if let ErrorKind::WouldBlock | ErrorKind::Interrupted = error.kind() {
        // Should that fail, the connection has ended already.
        _ = fd.shutdown(Shutdown::Write);
    }
    match (error.kind(), deadline) {
        (ErrorKind::WouldBlock, Some(_)) => Err(Ok(NotReady::TimedOut)),
        _ => Err(Err(error)),
    }
}

/// Waits for room for a byte, until `deadline` at the latest.
fn has_room(fd: &DatagramFd, deadline: Instant) -> io::Result<bool> {
    loop {
        // Sends nothing, but tells errors.
        sys::send(fd, &[], &[], None, false)?;
        let until = deadline.min(Instant::now() + LOOK_AGAIN);
        let ready = sys::wait(fd.as_fd(), Readiness::Writable, Some(until))?;
        if ready || until == deadline {
            return Ok(ready);
        }
    }
}
