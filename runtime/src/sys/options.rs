//! Socket options: inspects descriptors, and changes settings.
//!
//! `int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen)` and its
//! counterpart; see getsockopt(2) and socket(7).

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use super::errno::retry;

/// The properties of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Socket {
    pub(super) domain: libc::c_int,
    pub(super) kind: libc::c_int,
    pub(super) protocol: libc::c_int,
    pub(super) listening: bool,
    /// The peek offset, if another holder has set one.
    peek_offset: Option<u32>,
    /// The option that joins or splits datagrams, if another holder has set one (UDP).
    pub(super) joining_option: Option<&'static str>,
}

impl Socket {
    /// Returns whether a peek returns the length of one datagram.
    pub(crate) fn preserves_boundaries(self) -> bool {
        matches!(self.kind, libc::SOCK_DGRAM | libc::SOCK_SEQPACKET | libc::SOCK_RAW)
            && !self.listening
            && self.peek_offset.is_none()
            && self.joining_option.is_none()
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.listening { "a listening " } else { "a socket of " })?;
        match self.domain {
            libc::AF_UNIX => f.write_str("AF_UNIX")?,
            libc::AF_INET => f.write_str("AF_INET")?,
            libc::AF_INET6 => f.write_str("AF_INET6")?,
            libc::AF_VSOCK => f.write_str("AF_VSOCK")?,
            libc::AF_NETLINK => f.write_str("AF_NETLINK")?,
            other => write!(f, "family {other}")?,
        }
        match self.kind {
            libc::SOCK_STREAM => f.write_str(" SOCK_STREAM")?,
            libc::SOCK_DGRAM => f.write_str(" SOCK_DGRAM")?,
            libc::SOCK_SEQPACKET => f.write_str(" SOCK_SEQPACKET")?,
            libc::SOCK_RAW => f.write_str(" SOCK_RAW")?,
            other => write!(f, " type {other}")?,
        }
        match self.protocol {
            0 | libc::IPPROTO_UDP | libc::IPPROTO_TCP => {}
            other => write!(f, " protocol {other}")?,
        }
        if let Some(offset) = self.peek_offset {
            write!(f, " with a peek offset of {offset}")?;
        }
        match self.joining_option {
            Some(option) => write!(f, " with {option} set"),
            None => Ok(()),
        }
    }
}

/// Returns what `fd` is; ENOTSOCK if it is not a socket.
pub(crate) fn inspect(fd: BorrowedFd<'_>) -> io::Result<Socket> {
    let protocol = get_int(fd, libc::SO_PROTOCOL)?;
    Ok(Socket {
        domain: get_int(fd, libc::SO_DOMAIN)?,
        kind: get_int(fd, libc::SO_TYPE)?,
        protocol,
        // Some kernels lack the option for AF_VSOCK. Its sockets then count as not listening.
        listening: get_int(fd, libc::SO_ACCEPTCONN).is_ok_and(|listening| listening != 0),
        // -1 if peeks start at the front; an error if the family lacks the option.
        peek_offset: get_int(fd, libc::SO_PEEK_OFF).ok().and_then(|offset| offset.try_into().ok()),
        joining_option: (protocol == libc::IPPROTO_UDP).then(|| joining_option(fd)).flatten(),
    })
}

/// Returns the option that makes a UDP socket join or split datagrams, if one is set. See udp(7).
fn joining_option(fd: BorrowedFd<'_>) -> Option<&'static str> {
    let options = [
        (libc::UDP_CORK, "UDP_CORK"),
        (libc::UDP_SEGMENT, "UDP_SEGMENT"),
        (libc::UDP_GRO, "UDP_GRO"),
    ];
    let is_set = |&(option, _): &(libc::c_int, _)| {
        let mut value = [0_i32];
        get(fd, libc::IPPROTO_UDP, option, &mut value).is_ok() && value != [0]
    };
    options.into_iter().find(is_set).map(|(_, name)| name)
}

/// Sets whether a UNIX socket, and each connection that a listener then accepts, accepts descriptors. If not,
/// sending some to it fails. No effect before Linux 6.16, and on other sockets.
pub(crate) fn accept_descriptors(fd: BorrowedFd<'_>, accept: bool) {
    // include/uapi/asm-generic/socket.h, and sparc's own; libc does not have the first one yet.
    const SO_PASSRIGHTS: libc::c_int =
        if cfg!(any(target_arch = "sparc", target_arch = "sparc64")) { 0x5c } else { 83 };
    _ = set(fd, SO_PASSRIGHTS, &libc::c_int::from(accept));
}

/// Returns the longest datagram that an AF_VSOCK socket can receive, in bytes: the size of its buffer.
pub(super) fn vsock_buffer(fd: BorrowedFd<'_>) -> usize {
    // include/uapi/linux/vm_sockets.h, and the default, for kernels without the option.
    const SO_VM_SOCKETS_BUFFER_SIZE: libc::c_int = 0;
    let mut size = [256 * 1024_u64];
    _ = get(fd, libc::AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &mut size);
    usize::try_from(size[0]).unwrap_or(usize::MAX)
}

/// Sets the given sizes of the kernel's buffers, in bytes. The kernel doubles and clamps them. See socket(7).
pub(crate) fn set_buffers(
    fd: BorrowedFd<'_>,
    recv: Option<usize>,
    send: Option<usize>,
) -> io::Result<()> {
    for (option, bytes) in [(libc::SO_RCVBUF, recv), (libc::SO_SNDBUF, send)] {
        if let Some(bytes) = bytes {
            set(fd, option, &libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX))?;
        }
    }
    Ok(())
}

/// Sets how long blocking sends and connects may take. `None` sets no limit.
pub(crate) fn set_send_timeout(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> io::Result<()> {
    // Zero means no limit to the kernel: an expired timeout becomes the shortest one.
    let timeout = timeout.map_or(Duration::ZERO, |timeout| timeout.max(Duration::from_micros(1)));
    let timeout = libc::timeval {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_usec: timeout.subsec_micros().cast_signed().into(),
    };
    set(fd, libc::SO_SNDTIMEO, &timeout)
}

/// Returns how many datagrams the kernel has dropped since the socket was created, because its buffer was full.
pub(crate) fn drops(fd: BorrowedFd<'_>) -> io::Result<u32> {
    // include/uapi/linux/sock_diag.h: SK_MEMINFO_DROPS is the last of nine.
    let mut meminfo = [0_u32; 9];
    get(fd, libc::SOL_SOCKET, libc::SO_MEMINFO, &mut meminfo)?;
    let [.., drops] = meminfo;
    Ok(drops)
}

pub(super) fn get_int(fd: BorrowedFd<'_>, option: libc::c_int) -> io::Result<libc::c_int> {
    let mut value = [0];
    get(fd, libc::SOL_SOCKET, option, &mut value)?;
    Ok(value[0])
}

/// Types that consist only of numbers.
///
/// # Safety
///
/// Any bytes are a valid value.
pub(super) unsafe trait Plain {}
// SAFETY: numbers, and structures of them.
unsafe impl Plain for libc::c_int {}
// SAFETY: as above.
unsafe impl Plain for libc::ucred {}
// SAFETY: as above.
unsafe impl Plain for libc::timeval {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}

/// Reads an option to `values`, and returns the number of bytes that the kernel wrote.
pub(super) fn get<T: Plain>(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    option: libc::c_int,
    values: &mut [T],
) -> io::Result<usize> {
    let mut len = 0;
    retry(|| {
        len = size_of_val(values) as libc::socklen_t;
        // SAFETY: `values` are `len` bytes, exclusively borrowed for the call, and of a type that is
        // valid whatever bytes the kernel writes; the kernel writes no more than `len`. `fd` is
        // open for the call, as it is borrowed.
        unsafe {
            libc::getsockopt(
                fd.as_raw_fd(),
                level,
                option,
                values.as_mut_ptr().cast(),
                &raw mut len,
            )
        }
    })?;
    Ok(len as usize)
}

pub(super) fn set<T: Plain>(fd: BorrowedFd<'_>, option: libc::c_int, value: &T) -> io::Result<()> {
    retry(|| {
        // SAFETY: `value` is `size_of::<T>()` initialised bytes that outlive the call and are only
        // read. `fd` is open for the call, as it is borrowed.
        unsafe {
            libc::setsockopt(
                fd.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                (&raw const *value).cast(),
                size_of::<T>() as libc::socklen_t,
            )
        }
    })?;
    Ok(())
}
