//! The end of a socket's receiving direction, which a read of 0 bytes does not prove.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Instant;

use super::errno::retry;
use super::poll::poll;
use super::recv::{Peeked, peek};
use super::socket::DatagramFd;

/// The state of a socket's receiving direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecvState {
    /// More data may arrive.
    Open,
    /// No more data arrives, and frames are queued.
    Queued,
    /// No more data arrives, and no frame is queued.
    Drained,
}

/// Returns the state of the receiving direction of `fd`.
///
/// A read of 0 bytes may have taken an empty datagram. A UNIX socket can also report the end once too early:
/// a receive that finds nothing, and then sees that the peer has closed, does not check again for data that
/// arrived in between (net/unix/af_unix.c, unix_dgram_recvmsg).
///
/// `POLLRDHUP` of poll(2) says whether more data may arrive, and `FIONREAD` of unix(7) how many bytes are
/// queued.
pub(crate) fn recv_state(fd: &DatagramFd) -> io::Result<RecvState> {
    let raw = fd.as_fd().as_raw_fd();
    let mut polled = [libc::pollfd { fd: raw, events: libc::POLLRDHUP, revents: 0 }];
    poll(&mut polled, Some(Instant::now()))?;
    if polled.iter().all(|fd| fd.revents & (libc::POLLRDHUP | libc::POLLHUP) == 0) {
        return Ok(RecvState::Open);
    }
    let mut queued: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int, exclusively borrowed for the call. `fd` is open for the call, as it
    // is borrowed.
    let asked = retry(|| unsafe { libc::ioctl(raw, libc::FIONREAD, &raw mut queued) });
    let is_queued = match asked {
        Ok(_) => queued > 0,
        // A system call filter refuses ioctl. A peek reports nearly as much, but misses
        // frames after an empty datagram.
        Err(_) => matches!(peek(fd, false), Ok(Some(Peeked { len: 1.., .. }))),
    };
    Ok(if is_queued { RecvState::Queued } else { RecvState::Drained })
}
