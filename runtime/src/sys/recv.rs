//! Receiving: the peek that tells a datagram's length, and the receives that take it.
//!
//! `ssize_t recv(int sockfd, void *buf, size_t len, int flags)`; see [recv(2)]. `MSG_TRUNC` makes
//! the call return the datagram's real length even where the buffer is shorter (on datagram
//! sockets: on a TCP socket it discards data *without writing the buffer*, which is why the calls
//! that fill a buffer take a [`DatagramFd`]); `MSG_PEEK` leaves the datagram queued.
//!
//! The peek is a plain `recv`, without a control buffer: a peek with one would install a copy of
//! every attached descriptor in this process.
//!
//! [recv(2)]: https://man7.org/linux/man-pages/man2/recv.2.html

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use super::errno::retry;
use super::name::{Name, RawName, UnixName};
use super::socket::DatagramFd;

/// The length of the next datagram, in bytes, which stays queued. `block` waits for one, unless
/// the descriptor itself is non-blocking.
///
/// The peek is into one byte: on AF_VSOCK a zero-length receive returns at once, with 0.
#[inline]
pub(crate) fn peek_len(fd: BorrowedFd<'_>, block: bool) -> io::Result<usize> {
    let wait = if block { 0 } else { libc::MSG_DONTWAIT };
    recv_byte(fd, libc::MSG_PEEK | libc::MSG_TRUNC | wait)
}

/// Drops the next datagram, and returns the length that it had. Never waits.
pub(crate) fn discard(fd: &DatagramFd) -> io::Result<usize> {
    recv_byte(fd.as_fd(), libc::MSG_TRUNC | libc::MSG_DONTWAIT)
}

#[inline]
fn recv_byte(fd: BorrowedFd<'_>, flags: libc::c_int) -> io::Result<usize> {
    let mut byte = 0_u8;
    retry(|| {
        // SAFETY: the pointer is to one initialised byte, exclusively borrowed for the call, and the
        // length says one: whatever kind of descriptor this is, no more is written. `fd` is open
        // for the call, as it is borrowed.
        unsafe { libc::recv(fd.as_raw_fd(), (&raw mut byte).cast(), 1, flags) }
    })
    .map(isize::cast_unsigned)
}

/// Takes the next datagram into `buffer`, replacing what it holds and using its capacity without
/// growing it. Never waits.
///
/// Returns the datagram's real length: where that is more than the capacity, the rest is lost.
#[inline]
pub(crate) fn recv(fd: &DatagramFd, buffer: &mut Vec<u8>) -> io::Result<usize> {
    buffer.clear();
    let room = buffer.spare_capacity_mut();
    let len = retry(|| {
        // SAFETY: `room` is writable memory of `room.len()` bytes, exclusively borrowed for the
        // call; the kernel only writes it. `fd` is open for the call, as it is borrowed.
        unsafe {
            libc::recv(
                fd.as_fd().as_raw_fd(),
                room.as_mut_ptr().cast(),
                room.len(),
                libc::MSG_TRUNC | libc::MSG_DONTWAIT,
            )
        }
    })?
    .cast_unsigned();
    let written = len.min(room.len());
    // SAFETY: `written` is within the capacity, and the kernel wrote that many bytes from the start
    // of it: on a datagram socket, which a `DatagramFd` is known to be, `recv` copies the shorter of
    // the datagram and the buffer, whatever it returns (recv(2), MSG_TRUNC).
    unsafe { buffer.set_len(written) };
    Ok(len)
}

/// As [`recv`], and tells who sent the datagram; `None` for a family that this crate does not speak.
///
/// `ssize_t recvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *src_addr,
/// socklen_t *addrlen)`.
#[inline]
pub(crate) fn recv_from(fd: &DatagramFd, buffer: &mut Vec<u8>) -> io::Result<(usize, Name)> {
    buffer.clear();
    let room = buffer.spare_capacity_mut();
    let mut name = RawName::empty();
    let mut name_len = 0;
    let len = retry(|| {
        name_len = RawName::CAPACITY as libc::socklen_t;
        // SAFETY: `room` is writable memory of `room.len()` bytes and `name` of `name_len` bytes,
        // both exclusively borrowed for the call; the kernel writes no more of the name than
        // `name_len` says at entry, and its length to `name_len`. `fd` is open for the call, as it
        // is borrowed.
        unsafe {
            libc::recvfrom(
                fd.as_fd().as_raw_fd(),
                room.as_mut_ptr().cast(),
                room.len(),
                libc::MSG_TRUNC | libc::MSG_DONTWAIT,
                name.as_mut_ptr(),
                &raw mut name_len,
            )
        }
    })?
    .cast_unsigned();
    let written = len.min(room.len());
    // SAFETY: as in `recv`.
    unsafe { buffer.set_len(written) };
    name.set_len(name_len);
    Ok((len, name.read().unwrap_or(Name::Unix(UnixName::UNNAMED))))
}
