//! Sending over vsock, where the kernel may take a part of a frame and leave the rest to the caller.
//!
//! A call that finds room for a part takes that part, and waits for room for the rest. If it may not
//! wait, or a signal or a timeout ends the wait, it fails as if it had taken nothing, and the next frame is
//! glued to the part (net/vmw_vsock/af_vsock.c, vsock_connectible_sendmsg). A peer that receives the
//! end instead never sees the part.

use std::io::ErrorKind;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::transmit::{Parcel, refusal};
use crate::error::SendError;
use crate::sys::{self, DatagramFd, Readiness};
use crate::wait::Wait;

/// How long a wait may go without looking whether the connection has ended: a poll does not always tell.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Sends a frame whole, or else ends what is sent. No other thread may be sending meanwhile: a frame of
/// its would get into this one.
///
/// A frame that finds no room at all may be given up. One that was begun is not, except at a deadline.
pub(super) fn transmit_whole(
    fd: &DatagramFd,
    parcel: Parcel<'_>,
    wait: Wait,
) -> Result<(), SendError> {
    let len = parcel.len;
    let deadline = match wait {
        Wait::Block => None,
        Wait::Try => {
            if !has_room(fd, parcel, Instant::now())? {
                return Err(SendError::WouldBlock { len });
            }
            None
        }
        Wait::Until(deadline) => {
            if !has_room(fd, parcel, deadline)? {
                return Err(SendError::TimedOut { len });
            }
            Some(deadline)
        }
    };
    let Err(error) = sys::send_whole(fd, parcel.slices, deadline) else {
        return Ok(());
    };
    if let ErrorKind::WouldBlock | ErrorKind::Interrupted = error.kind() {
        // Should that fail, the connection has ended already.
        _ = fd.shutdown(Shutdown::Write);
    }
    match (error.kind(), deadline) {
        (ErrorKind::WouldBlock, Some(_)) => Err(SendError::TimedOut { len }),
        _ => Err(refusal(fd, parcel, None, error)),
    }
}

/// Waits for room for a byte, until `deadline` at most.
fn has_room(fd: &DatagramFd, parcel: Parcel<'_>, deadline: Instant) -> Result<bool, SendError> {
    loop {
        // Nothing is sent by that, but errors are told.
        sys::send(fd, &[], &[], None, false).map_err(|error| refusal(fd, parcel, None, error))?;
        let until = deadline.min(Instant::now() + LOOK_AGAIN);
        let ready = sys::wait(fd.as_fd(), Readiness::Writable, Some(until))
            .map_err(|source| SendError::Io { len: parcel.len, source })?;
        if ready || until == deadline {
            return Ok(ready);
        }
    }
}
