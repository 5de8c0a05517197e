//! The public peek, for any datagram descriptor.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};

use crate::error::RecvError;
use crate::sys::{self, ENOTSOCK};

/// Waits for the next datagram, and returns its length in bytes without receiving it.
///
/// A length of 0 is an empty datagram or, on SEQPACKET, the end.
///
/// This works with any socket that preserves datagram boundaries, whichever program sends to it. So you can receive
/// into a buffer of exactly the right size. With a non-blocking descriptor, the call does not wait, but fails with
/// [`RecvError::WouldBlock`].
///
/// On a [`Connection`](crate::Connection) or its receiver, use
/// [`Receiver::peek_len`](crate::Receiver::peek_len): this function does not see frames that were already
/// read from the socket.
///
/// Each call checks the type of the descriptor, that it has no peek offset (`SO_PEEK_OFF`, which makes peeks
/// report too little), and that UDP does not join datagrams. That takes five more system calls, eight over
/// UDP. The endpoints of this crate check once, when they are opened.
///
/// ```
/// use std::os::unix::net::UnixDatagram;
///
/// let (theirs, ours) = UnixDatagram::pair()?;
/// theirs.send(b"a datagram that we did not write")?;
///
/// let mut buffer = vec![0; datagrammar::peek_len(&ours)?];
/// assert_eq!(ours.recv(&mut buffer)?, 32);
/// assert_eq!(buffer, b"a datagram that we did not write");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`RecvError::WrongDescriptor`] if the descriptor does not preserve datagram boundaries, or its family does
/// not report their length (ping sockets); [`RecvError::WouldBlock`] if the descriptor is non-blocking, or
/// its timeout (`SO_RCVTIMEO`) passes; [`RecvError::Refused`]; [`RecvError::Io`].
pub fn peek_len(fd: impl AsFd) -> Result<usize, RecvError> {
    checked_peek(fd.as_fd(), true)
}

/// Returns the length of the next datagram in bytes, like [`peek_len`], but never waits.
///
/// ```
/// use datagrammar::{RecvError, try_peek_len};
///
/// let (_theirs, ours) = std::os::unix::net::UnixDatagram::pair()?;
/// assert!(matches!(try_peek_len(&ours), Err(RecvError::WouldBlock)));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`peek_len`]; [`RecvError::WouldBlock`] if no datagram is queued.
pub fn try_peek_len(fd: impl AsFd) -> Result<usize, RecvError> {
    checked_peek(fd.as_fd(), false)
}

fn checked_peek(fd: BorrowedFd<'_>, block: bool) -> Result<usize, RecvError> {
    const EXPECTED: &str =
        "a socket that preserves datagram boundaries (SOCK_SEQPACKET, SOCK_DGRAM or SOCK_RAW)";
    let wrong = |found| RecvError::WrongDescriptor { found, expected: EXPECTED };
    let socket = match sys::inspect(fd) {
        Ok(socket) if socket.preserves_boundaries() => socket,
        Ok(socket) => return Err(wrong(socket.to_string())),
        Err(error) if error.raw_os_error() == Some(ENOTSOCK) => {
            return Err(wrong("a descriptor that is not a socket".into()));
        }
        Err(error) => return Err(error.into()),
    };
    let reset = |error: &io::Error| error.kind() == ErrorKind::ConnectionReset;
    let peeked = match sys::peek_len(fd, block) {
        // The peer closed with unread input. The kernel reports that before frames that can still be
        // read, and on some families again after them.
        Err(error) if reset(&error) => match sys::peek_len(fd, block) {
            Err(error) if reset(&error) => Ok(Some(0)),
            again => again,
        },
        peeked => peeked,
    };
    match peeked {
        Ok(Some(len)) => Ok(len),
        Ok(None) => Err(wrong(format!("{socket}, whose family does not report lengths"))),
        Err(error) => Err(match error.kind() {
            ErrorKind::WouldBlock => RecvError::WouldBlock,
            ErrorKind::ConnectionRefused => RecvError::Refused,
            _ => error.into(),
        }),
    }
}
