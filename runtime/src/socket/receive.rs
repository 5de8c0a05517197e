//! Receiving one frame: peek, policy, room, receive, and the check that it is the frame peeked.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;

use super::wait::{NotReady, Wait};
use crate::error::RecvError;
use crate::limits::Limits;
use crate::sys::{self, DatagramFd, Kind, Name, Readiness, UnixName};

/// Receives a frame from a connection into `buffer`; `false` at the end.
#[inline]
pub(crate) fn receive(
    fd: &DatagramFd,
    buffer: &mut Vec<u8>,
    limits: Limits,
    wait: Wait,
) -> Result<bool, RecvError> {
    loop {
        let peeked = peek(fd, wait)?;
        if peeked == 0 {
            return Ok(false);
        }
        if make_room(fd, buffer, peeked, limits)?
            && let Some(len) = taken(fd, || sys::recv(fd, buffer))?
            && len > 0
        {
            return check(fd, buffer, peeked, len, limits).map(|()| true);
        }
    }
}

/// Receives a frame from a socket that is by itself, and tells who sent it.
#[inline]
pub(crate) fn receive_from(
    fd: &DatagramFd,
    buffer: &mut Vec<u8>,
    limits: Limits,
    wait: Wait,
) -> Result<Name, RecvError> {
    loop {
        let peeked = peek(fd, wait)?;
        if make_room(fd, buffer, peeked, limits)?
            && let Some((len, name)) = taken(fd, || sys::recv_from(fd, buffer))?
        {
            if len == 0 {
                return Err(RecvError::Empty);
            }
            return check(fd, buffer, peeked, len, limits).map(|()| name);
        }
    }
}

/// The length of the next frame, which stays queued; 0 at the end of a connection.
#[inline]
pub(crate) fn peek(fd: &DatagramFd, wait: Wait) -> Result<usize, RecvError> {
    loop {
        if let Some(len) = taken(fd, || sys::peek_len(fd.as_fd(), wait.blocks()))? {
            return Ok(len);
        }
        wait.ready(fd.as_fd(), Readiness::Readable).map_err(|reason| match reason {
            NotReady::WouldBlock => RecvError::WouldBlock,
            NotReady::TimedOut => RecvError::TimedOut,
            NotReady::Io(error) => RecvError::Io(error),
        })?;
    }
}

/// Makes room for the peeked frame, or drops it if it is over the limit. `false` when somebody else
/// has taken it by then.
#[inline]
fn make_room(
    fd: &DatagramFd,
    buffer: &mut Vec<u8>,
    peeked: usize,
    limits: Limits,
) -> Result<bool, RecvError> {
    if peeked > limits.frame_len {
        return match taken(fd, || sys::discard(fd))? {
            Some(0) | None => Ok(false),
            Some(len) if len > limits.frame_len => Err(too_large(len, limits)),
            Some(len) => Err(RecvError::Stolen { peeked, len }),
        };
    }
    buffer.clear();
    match buffer.try_reserve_exact(peeked) {
        Ok(()) => Ok(true),
        Err(_) => Err(RecvError::NoMemory { len: peeked }),
    }
}

/// Checks that the frame received came whole: it need not be the one that was peeked.
#[inline]
fn check(
    fd: &DatagramFd,
    buffer: &[u8],
    peeked: usize,
    len: usize,
    limits: Limits,
) -> Result<(), RecvError> {
    if len == peeked {
        return Ok(());
    }
    // Another holder has taken the frame that was peeked, or has set a peek offset, which makes peeks
    // report too little or miss frames that are there.
    fd.reset_peek_offset()?;
    if len > buffer.len() {
        return Err(RecvError::Stolen { peeked, len });
    }
    if len > limits.frame_len {
        return Err(too_large(len, limits));
    }
    Ok(())
}

/// The result of a call that takes or peeks, or `None` when nothing is there yet.
#[inline]
fn taken<T: Nothing>(
    fd: &DatagramFd,
    mut call: impl FnMut() -> io::Result<T>,
) -> Result<Option<T>, RecvError> {
    loop {
        match call() {
            Ok(taken) => return Ok(Some(taken)),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return Ok(None),
                ErrorKind::ConnectionRefused => return Err(RecvError::Refused),
                // The peer closed without reading all that it was sent, and the kernel says so by
                // a reset. On a UNIX socket that is reported once, *before* frames that can still
                // be read (net/unix/af_unix.c, unix_release_sock): go on to them. On vsock it is
                // reported after them, and for ever: it is the end.
                ErrorKind::ConnectionReset if fd.kind() != Kind::VsockSeqpacket => {}
                ErrorKind::ConnectionReset => return Ok(Some(T::NOTHING)),
                _ => return Err(RecvError::Io(error)),
            },
        }
    }
}

/// What a call returns at the end.
trait Nothing {
    const NOTHING: Self;
}

impl Nothing for usize {
    const NOTHING: Self = 0;
}

impl Nothing for (usize, Name) {
    const NOTHING: Self = (0, Name::Unix(UnixName::UNNAMED));
}

#[cold]
fn too_large(len: usize, limits: Limits) -> RecvError {
    RecvError::TooLarge { len, limit: limits.frame_len }
}
