//! Plain datagrams with one descriptor each.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

/// Sends a datagram and a descriptor.
///
/// `ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags)`; see [sendmsg(2)].
///
/// # Errors
///
/// The error of the system call.
///
/// [sendmsg(2)]: https://man7.org/linux/man-pages/man2/sendmsg.2.html
pub fn send(fd: BorrowedFd<'_>, bytes: &[u8], carried: BorrowedFd<'_>) -> io::Result<()> {
    let mut slice = IoSlice::new(bytes);
    let mut control = Control::with(carried);
    let header = header(ptr::from_mut(&mut slice).cast(), &mut control);
    // SAFETY: the header points to one slice, laid out as an iovec, and to `control`, of the length that it
    // says; both outlive the call, and are only read. `fd` is open for the call, as it is borrowed.
    let sent = unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const header, libc::MSG_NOSIGNAL) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Receives a datagram into `buffer`, and its one descriptor. Returns the length of the datagram.
///
/// `ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags)`; see [recvmsg(2)].
///
/// # Errors
///
/// The error of the system call; `InvalidData` if something was truncated or no descriptor came.
///
/// [recvmsg(2)]: https://man7.org/linux/man-pages/man2/recvmsg.2.html
pub fn recv(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<(usize, OwnedFd)> {
    let mut slice = IoSliceMut::new(buffer);
    // The content is overwritten.
    let mut control = Control::with(fd);
    let mut header = header(ptr::from_mut(&mut slice).cast(), &mut control);
    let flags = libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the header points to one slice, laid out as an iovec, whose memory is lent exclusively, and to
    // `control`, of the length that it says; both outlive the call. `fd` is open for the call, as it is
    // borrowed.
    let received = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header, flags) };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    let cut = header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0;
    let came = header.msg_controllen >= Control::LEN && control.kind == libc::SCM_RIGHTS;
    if cut || !came {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: the kernel reports that it has put a descriptor there, and nothing else owns it.
    Ok((received, unsafe { OwnedFd::from_raw_fd(control.fd) }))
}

/// A control message of one descriptor; see [cmsg(3)]. The header's length is that of a `size_t` and two
/// integers, so nothing is padded but the end.
///
/// [cmsg(3)]: https://man7.org/linux/man-pages/man3/cmsg.3.html
#[repr(C)]
struct Control {
    len: usize,
    level: libc::c_int,
    kind: libc::c_int,
    fd: RawFd,
    _padding: u32,
}

impl Control {
    /// Without the padding.
    const LEN: usize = size_of::<Self>() - size_of::<u32>();

    fn with(fd: BorrowedFd<'_>) -> Self {
        let (level, kind) = (libc::SOL_SOCKET, libc::SCM_RIGHTS);
        Self { len: Self::LEN, level, kind, fd: fd.as_raw_fd(), _padding: 0 }
    }
}

fn header(slice: *mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: an msghdr is numbers and pointers, for which zero bytes are valid.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_iov = slice;
    header.msg_iovlen = 1;
    header.msg_controllen = size_of::<Control>();
    header.msg_control = ptr::from_mut(control).cast();
    header
}
