//! Sockets without the library: peers that act as the library never does.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown,
    SocketFlags, SocketType, send as rustix_send, sendmsg, shutdown, socketpair,
};

/// Two connected sockets.
///
/// # Panics
///
/// If they cannot be created.
pub fn pair(kind: SocketType) -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).expect("a socket pair")
}

/// Returns a UDP socket and its address, which no other socket can bind, and which refuses datagrams. Connect the
/// socket to an address to accept datagrams from there.
///
/// # Panics
///
/// If it cannot be created.
pub fn closed_port() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = socket.local_addr().expect("its address");
    // The socket accepts datagrams only from itself (udp(7)).
    socket.connect(address).expect("connected");
    (socket, address)
}

/// Sends bytes as one datagram, which may be empty.
///
/// # Errors
///
/// Those of the kernel.
pub fn send(fd: impl AsFd, bytes: &[u8]) -> io::Result<()> {
    rustix_send(fd, bytes, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives one datagram, and fails after a minute. Empty at the end.
///
/// # Panics
///
/// If no datagram comes.
pub fn recv(fd: impl AsFd) -> Vec<u8> {
    try_recv(fd, 60).expect("a datagram")
}

/// Receives one datagram if it comes within `seconds`. Empty at the end.
///
/// # Errors
///
/// Those of the kernel; `WouldBlock` if no datagram comes.
pub fn try_recv(fd: impl AsFd, seconds: i64) -> io::Result<Vec<u8>> {
    let timeout = libc::timeval { tv_sec: seconds, tv_usec: 1000 };
    set_option(&fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, timeout);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match rustix::net::recv(&fd, &mut buffer[..], RecvFlags::empty()) {
            Ok((len, _)) => {
                buffer.truncate(len);
                return Ok(buffer);
            }
            // The process was stopped for a while (signal(7)).
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Sends bytes as one datagram, with descriptors in as many control messages as there are lists.
///
/// # Errors
///
/// Those of the kernel.
pub fn send_with(fd: impl AsFd, bytes: &[u8], lists: &[&[BorrowedFd<'_>]]) -> io::Result<()> {
    let mut space = [const { MaybeUninit::uninit() }; 4096];
    let mut control = SendAncillaryBuffer::new(&mut space);
    for list in lists {
        assert!(control.push(SendAncillaryMessage::ScmRights(list)), "too many descriptors");
    }
    sendmsg(fd, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Shuts down the sending direction.
///
/// # Panics
///
/// If the kernel refuses.
pub fn end(fd: impl AsFd) {
    shutdown(fd, Shutdown::Write).expect("shutdown");
}

/// Makes peeks start at `offset`, as any holder of a socket can.
///
/// # Panics
///
/// If the kernel refuses.
pub fn set_peek_offset(fd: impl AsFd, offset: i32) {
    set_option(fd, libc::SOL_SOCKET, libc::SO_PEEK_OFF, offset);
}

/// Sets a socket option that is a number, with the size of its type.
///
/// # Panics
///
/// If the kernel refuses.
pub fn set_option<N: Copy>(fd: impl AsFd, level: i32, option: i32, value: N) {
    // SAFETY: the pointer is to a number that outlives the call, and the length is its size.
    let result = unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    assert_eq!(result, 0, "option {option}: {}", io::Error::last_os_error());
}
