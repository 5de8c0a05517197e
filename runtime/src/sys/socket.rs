//! Datagram sockets, and calls that create, bind and name sockets.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::errno::retry;
use super::kind::Kind;
use super::lane::LANE_LEN;
use super::name::Name;
use super::options;
use super::permit::Permit;

/// A descriptor of a datagram socket of a known kind.
///
/// The soundness of [`recv`](super::recv()) relies on this type. Clones share the descriptor, which is closed
/// with the last clone.
#[derive(Debug, Clone)]
pub(crate) struct DatagramFd {
    /// The number of `owner`, which saves a pointer dereference for each call.
    raw: RawFd,
    kind: Kind,
    owner: Arc<OwnedFd>,
    /// Counts the descriptor until the last clone is dropped. Dropped last, after the descriptor is closed.
    /// Not in the allocation of `owner`, which would then be longer even without a permit.
    _permit: Option<Arc<Permit>>,
}

impl DatagramFd {
    /// Creates a close-on-exec socket.
    pub(crate) fn open(kind: Kind) -> io::Result<Self> {
        Ok(Self::new(socket(kind)?, kind, None))
    }

    pub(super) fn new(fd: OwnedFd, kind: Kind, permit: Option<Permit>) -> Self {
        Self { raw: fd.as_raw_fd(), kind, owner: Arc::new(fd), _permit: permit.map(Arc::new) }
    }

    /// Creates two connected UNIX SEQPACKET sockets. See socketpair(2).
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let mut fds: [RawFd; 2] = [-1; 2];
        retry(|| {
            // SAFETY: the pointer is to two integers, exclusively borrowed for the call, as
            // socketpair declares it.
            unsafe {
                libc::socketpair(
                    libc::AF_UNIX,
                    libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC,
                    0,
                    fds.as_mut_ptr(),
                )
            }
        })?;
        let kind = Kind::UnixSeqpacket;
        // SAFETY: socketpair succeeded, so this is an open descriptor that nothing else owns.
        let left = unsafe { OwnedFd::from_raw_fd(fds[0]) };
        // SAFETY: as above.
        let right = unsafe { OwnedFd::from_raw_fd(fds[1]) };
        Ok((Self::new(left, kind, None), Self::new(right, kind, None)))
    }

    /// Takes over one end of a connection, or a socket without one, and resets its peek offset. Returns a description
    /// of any other socket, and of one that listens or joins datagrams.
    pub(crate) fn adopt(fd: OwnedFd, is_connection: bool) -> io::Result<Result<Self, String>> {
        let socket = options::inspect(fd.as_fd())?;
        let is_right = |kind: &Kind| {
            kind.is_connection() == is_connection
                && !socket.listening
                && socket.joining_option.is_none()
        };
        let Some(kind) = Kind::of(socket).filter(is_right) else {
            return Ok(Err(socket.to_string()));
        };
        let fd = Self::new(fd, kind, None);
        match fd.peer_name() {
            Ok(_) if !is_connection => return Ok(Err(format!("{socket}, connected"))),
            Err(error) if error.kind() != io::ErrorKind::NotConnected => return Err(error),
            Err(_) if is_connection => return Ok(Err(format!("{socket}, not connected"))),
            _ => fd.reset_peek_offset()?,
        }
        Ok(Ok(fd))
    }

    /// Makes peeks start at the front of each datagram, even if another holder set an offset.
    pub(crate) fn reset_peek_offset(&self) -> io::Result<()> {
        match self.kind {
            // AF_VSOCK lacks the option.
            Kind::VsockSeqpacket => Ok(()),
            _ => options::set(self.as_fd(), libc::SO_PEEK_OFF, &-1_i32),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Connects. Fails with EINTR after a signal, because the caller tracks the deadline. See connect(2).
    pub(crate) fn connect(&self, name: &Name) -> io::Result<()> {
        // SAFETY: the pointer and the length are those of a name that outlives the call and is only
        // read. `fd` is open for the call, as it is borrowed.
        match unsafe { libc::connect(self.raw, name.as_ptr(), name.len()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Connects without waiting, or asks for the result of an attempt in progress. Fails with EAGAIN while a UNIX
    /// listener's backlog is full, and with EINPROGRESS or EALREADY over vsock: then the socket becomes writable
    /// when it has connected or failed. See connect(2).
    pub(crate) fn try_connect(&self, name: &Name) -> io::Result<()> {
        // Otherwise a failed attempt would start again.
        match options::get_int(self.as_fd(), libc::SO_ERROR)? {
            0 => {}
            error => return Err(io::Error::from_raw_os_error(error)),
        }
        set_nonblocking(self.as_fd(), true)?;
        let connected = loop {
            match self.connect(name) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(libc::EISCONN) => break Ok(()),
                result => break result,
            }
        };
        set_nonblocking(self.as_fd(), false)?;
        connected
    }

    /// Shuts down one or both directions for every holder of the socket. See shutdown(2).
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        shutdown(self.as_fd(), how)
    }

    /// Returns the name that the peer is bound to; ENOTCONN without a peer.
    pub(crate) fn peer_name(&self) -> io::Result<Name> {
        read_name(self.as_fd(), libc::getpeername)
    }

    /// Returns the longest datagram that the socket sends, in bytes, if it is known.
    pub(crate) fn max_send_len(&self) -> Option<usize> {
        // net/unix/af_unix.c refuses datagrams longer than the send buffer less 32. UDP lengths have
        // 16 bits and include the header; IPv4 lengths also include the IPv4 header.
        match self.kind {
            Kind::UnixSeqpacket | Kind::UnixDatagram => {
                let buffer = options::get_int(self.as_fd(), libc::SO_SNDBUF).ok()?;
                usize::try_from(buffer).ok()?.checked_sub(32)
            }
            Kind::VsockSeqpacket => None,
            Kind::Udp4 => Some(65_535 - 20 - 8),
            Kind::Udp6 => Some(65_535 - 8),
        }
    }

    /// Returns the longest datagram that can arrive, in bytes.
    pub(crate) fn max_recv_len(&self) -> usize {
        match self.kind {
            Kind::VsockSeqpacket => options::vsock_buffer(self.as_fd()).max(LANE_LEN),
            _ => LANE_LEN,
        }
    }

    /// Returns whether both share one descriptor.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.owner, &other.owner)
    }

    /// Returns the descriptor, which no longer counts, or a duplicate if there are clones.
    pub(crate) fn into_fd(self) -> io::Result<OwnedFd> {
        Arc::try_unwrap(self.owner).or_else(|shared| shared.try_clone())
    }
}

impl AsRawFd for DatagramFd {
    #[inline]
    fn as_raw_fd(&self) -> RawFd {
        self.raw
    }
}

impl AsFd for DatagramFd {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.owner.as_fd()
    }
}

/// See socket(2).
pub(super) fn socket(kind: Kind) -> io::Result<OwnedFd> {
    let (domain, kind) = kind.domain_and_type();
    let fd = retry(|| {
        // SAFETY: no memory is involved.
        unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, 0) }
    })?;
    // SAFETY: socket succeeded, so this is an open descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Binds to a name. The kernel chooses one for [`Name::UNNAMED`]: an abstract name of five hexadecimal digits
/// (unix(7), *Autobind feature*). See bind(2).
pub(crate) fn bind(fd: BorrowedFd<'_>, name: &Name) -> io::Result<()> {
    retry(|| {
        // SAFETY: the pointer and the length are those of a name that outlives the call and is only
        // read. `fd` is open for the call, as it is borrowed.
        unsafe { libc::bind(fd.as_raw_fd(), name.as_ptr(), name.len()) }
    })?;
    Ok(())
}

/// See shutdown(2).
pub(super) fn shutdown(fd: BorrowedFd<'_>, how: Shutdown) -> io::Result<()> {
    let how = match how {
        Shutdown::Read => libc::SHUT_RD,
        Shutdown::Write => libc::SHUT_WR,
        Shutdown::Both => libc::SHUT_RDWR,
    };
    retry(|| {
        // SAFETY: no memory is involved. `fd` is open for the call, as it is borrowed.
        unsafe { libc::shutdown(fd.as_raw_fd(), how) }
    })?;
    Ok(())
}

/// Sets whether calls on a descriptor and its duplicates fail with EAGAIN instead of blocking. Keeps the other flags,
/// such as `O_ASYNC`, which another holder may have set. See fcntl(2).
pub(super) fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    let flags = retry(|| {
        // SAFETY: no memory is involved. `fd` is open for the call, as it is borrowed.
        unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) }
    })?;
    let others = flags & !libc::O_NONBLOCK;
    let flags = if nonblocking { others | libc::O_NONBLOCK } else { others };
    retry(|| {
        // SAFETY: as above.
        unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags) }
    })?;
    Ok(())
}

/// Returns the name that a socket is bound to.
pub(crate) fn local_name(fd: BorrowedFd<'_>) -> io::Result<Name> {
    read_name(fd, libc::getsockname)
}

/// Calls `call`, which is getsockname or getpeername.
fn read_name(
    fd: BorrowedFd<'_>,
    call: unsafe extern "C" fn(RawFd, *mut libc::sockaddr, *mut libc::socklen_t) -> libc::c_int,
) -> io::Result<Name> {
    let mut name = Name::UNNAMED;
    let mut len = 0;
    retry(|| {
        len = Name::CAPACITY as libc::socklen_t;
        // SAFETY: `call` is getsockname or getpeername: this file has no other callers. Both write at most `len` bytes
        // to `name`, which has as many; it and `len` are exclusively borrowed for the call. `fd` is open for the
        // call, as it is borrowed.
        unsafe { call(fd.as_raw_fd(), name.as_mut_ptr(), &raw mut len) }
    })?;
    name.set_len(len);
    Ok(name)
}
