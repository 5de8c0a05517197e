//! The public peek, for any descriptor that keeps datagrams apart.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};

use crate::error::RecvError;
use crate::sys::{self, Errno, errno};

/// Waits for the next datagram, and returns its length in bytes without taking it.
///
/// For any descriptor that keeps datagrams apart, of any program and any family: the missing piece
/// for receiving into a buffer of exactly the right size. The wait is the descriptor's own: one that
/// is non-blocking answers [`RecvError::WouldBlock`]. 0 is an empty datagram or, on SEQPACKET, the
/// end.
///
/// Of a [`Connection`](crate::Connection) or its receiver, this sees what is in the socket, and not what has been
/// taken from there: [`Receiver::peek_len`](crate::Receiver::peek_len) sees both.
///
/// What the descriptor is, that nobody has set a peek offset on it (`SO_PEEK_OFF`, which makes peeks
/// report less than the length), and that UDP does not join datagrams there, is checked at each call,
/// by five more system calls (eight over UDP). The endpoints of this crate check once, when they are
/// made.
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
/// [`RecvError::WrongDescriptor`] for a descriptor that keeps no datagrams apart (`MSG_TRUNC` means
/// something else on a stream), or whose family does not tell their length, as that of ping sockets
/// does not; [`RecvError::WouldBlock`] where the descriptor is non-blocking or has a timeout
/// (`SO_RCVTIMEO`); [`RecvError::Refused`] and [`RecvError::Io`].
pub fn peek_len(fd: impl AsFd) -> Result<usize, RecvError> {
    checked_peek(fd.as_fd(), true)
}

/// As [`peek_len`], but never waits, whatever the descriptor's own mode.
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
/// As [`peek_len`], and [`RecvError::WouldBlock`].
pub fn try_peek_len(fd: impl AsFd) -> Result<usize, RecvError> {
    checked_peek(fd.as_fd(), false)
}

fn checked_peek(fd: BorrowedFd<'_>, block: bool) -> Result<usize, RecvError> {
    const EXPECTED: &str =
        "a socket that keeps datagrams apart (SOCK_SEQPACKET, SOCK_DGRAM or SOCK_RAW)";
    let wrong = |found| RecvError::WrongDescriptor { found, expected: EXPECTED };
    let socket = match sys::inspect(fd) {
        Ok(socket) if socket.keeps_datagrams() => socket,
        Ok(socket) => return Err(wrong(socket.to_string())),
        Err(error) if errno(&error) == Errno::NotASocket => {
            return Err(wrong("a descriptor that is not a socket".into()));
        }
        Err(error) => return Err(error.into()),
    };
    let reset = |error: &io::Error| error.kind() == ErrorKind::ConnectionReset;
    let peeked = match sys::peek_len(fd, block) {
        // The peer closed with unread input. Reported before frames that can still be read, and on
        // some families again after them.
        Err(error) if reset(&error) => match sys::peek_len(fd, block) {
            Err(error) if reset(&error) => Ok(Some(0)),
            again => again,
        },
        peeked => peeked,
    };
    match peeked {
        Ok(Some(len)) => Ok(len),
        Ok(None) => Err(wrong(format!("{socket}, whose family does not tell lengths"))),
        Err(error) => Err(match error.kind() {
            ErrorKind::WouldBlock => RecvError::WouldBlock,
            ErrorKind::ConnectionRefused => RecvError::Refused,
            _ => error.into(),
        }),
    }
}
