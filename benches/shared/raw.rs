//! Plain SEQPACKET sockets through libc.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use libc::c_int;

/// Returns two connected UNIX SEQPACKET sockets, closed on exec.
///
/// `int socketpair(int domain, int type, int protocol, int sv[2])`; see [socketpair(2)].
///
/// # Errors
///
/// The error of the system call.
///
/// [socketpair(2)]: https://man7.org/linux/man-pages/man2/socketpair.2.html
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    let mut fds = [-1; 2];
    // SAFETY: the pointer is to two integers, exclusively borrowed for the call.
    if unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, fds.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has opened both, and nothing else owns them.
    let [ours, theirs] = fds.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    Ok((ours, theirs))
}

/// Sends one datagram.
///
/// `ssize_t send(int sockfd, const void *buf, size_t len, int flags)`; see [send(2)].
///
/// # Errors
///
/// The error of the system call.
///
/// [send(2)]: https://man7.org/linux/man-pages/man2/send.2.html
pub fn send(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: the pointer and the length are those of one slice, which outlives the call and is only
    // read. `fd` is open for the call, as it is borrowed.
    let sent = unsafe {
        libc::send(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Receives into `buffer` with `flags`. Returns the result of [recv(2)]: the number of bytes written, or with
/// `MSG_TRUNC` the length of the datagram.
///
/// `ssize_t recv(int sockfd, void *buf, size_t len, int flags)`.
///
/// # Errors
///
/// The error of the system call.
///
/// [recv(2)]: https://man7.org/linux/man-pages/man2/recv.2.html
pub fn recv(fd: BorrowedFd<'_>, buffer: &mut [u8], flags: c_int) -> io::Result<usize> {
    // SAFETY: the pointer and the length are those of one slice, exclusively borrowed for the call, and
    // the kernel writes no more than that. `fd` is open for the call, as it is borrowed.
    let received =
        unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };
    usize::try_from(received).map_err(|_| io::Error::last_os_error())
}

/// Raises the socket's send buffer to `len` bytes (the kernel doubles that). Exceeds the system's maximum if the
/// process may; otherwise, that is not an error.
///
/// # Errors
///
/// The error of [setsockopt(2)].
///
/// [setsockopt(2)]: https://man7.org/linux/man-pages/man2/setsockopt.2.html
pub fn set_send_buffer(fd: BorrowedFd<'_>, len: usize) -> io::Result<()> {
    let len = c_int::try_from(len).unwrap_or(c_int::MAX);
    let set = |option| {
        let (level, size) = (libc::SOL_SOCKET, size_of::<c_int>() as libc::socklen_t);
        let value = (&raw const len).cast();
        // SAFETY: the pointer and the length are those of one integer, which outlives the call and is only
        // read. `fd` is open for the call, as it is borrowed.
        let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, value, size) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    set(libc::SO_SNDBUFFORCE).or_else(|_| set(libc::SO_SNDBUF))
}
