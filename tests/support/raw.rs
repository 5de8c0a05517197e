//! Sockets without the library: peers that do what the library never does.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::net::{
    AddressFamily, SendFlags, Shutdown, SocketFlags, SocketType, send as rustix_send, shutdown,
    socketpair,
};

/// Two connected sockets.
///
/// # Panics
///
/// When they cannot be made.
pub fn pair(kind: SocketType) -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).expect("a socket pair")
}

/// Sends bytes as one datagram, which may be empty.
///
/// # Errors
///
/// The kernel's.
pub fn send(fd: impl AsFd, bytes: &[u8]) -> io::Result<()> {
    rustix_send(fd, bytes, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Ends the sending direction.
///
/// # Panics
///
/// When the kernel refuses.
pub fn end(fd: impl AsFd) {
    shutdown(fd, Shutdown::Write).expect("shutdown");
}

/// Makes peeks start at `offset`, as any holder of a socket can.
///
/// # Panics
///
/// When the kernel refuses.
pub fn set_peek_offset(fd: impl AsFd, offset: i32) {
    // SAFETY: the pointer is to an integer that outlives the call, and the length is its size.
    let result = unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEEK_OFF,
            (&raw const offset).cast(),
            size_of_val(&offset) as libc::socklen_t,
        )
    };
    assert_eq!(result, 0, "SO_PEEK_OFF: {}", io::Error::last_os_error());
}
