//! A socket that listens.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::errno::retry;
use super::kind::Kind;
use super::name::Name;
use super::options::{self, Socket};
use super::socket::{DatagramFd, bind, local_name, set_mode, socket};

/// A listening SEQPACKET socket. It never blocks: waiting is done by polling.
#[derive(Debug)]
pub(crate) struct ListenerFd {
    fd: OwnedFd,
    kind: Kind,
}

impl ListenerFd {
    /// Makes a socket to listen on later, closed on exec.
    pub(crate) fn open(kind: Kind) -> io::Result<Self> {
        let fd = socket(kind)?;
        set_nonblocking(fd.as_fd())?;
        Ok(Self { fd, kind })
    }

    /// Takes over a descriptor after finding out what it is. What it is instead, when it is none that
    /// listens for connections.
    pub(crate) fn adopt(fd: OwnedFd) -> io::Result<Result<Self, Socket>> {
        let socket = options::inspect(fd.as_fd())?;
        let kind = Kind::of(socket).filter(|kind| kind.is_connection() && socket.listening);
        let Some(kind) = kind else { return Ok(Err(socket)) };
        set_nonblocking(fd.as_fd())?;
        Ok(Ok(Self { fd, kind }))
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// As [`DatagramFd::accept_descriptors`], for the connections that come from here: a client can
    /// send before it has been accepted.
    pub(crate) fn accept_descriptors(&self, accept: bool) {
        if self.kind.is_unix() {
            _ = options::accept_descriptors(self.as_fd(), accept);
        }
    }

    pub(crate) fn bind(&self, name: &Name) -> io::Result<()> {
        bind(self.as_fd(), name)
    }

    /// Sets the permission bits that [`bind`](Self::bind) will give to a path, less the umask's.
    pub(crate) fn set_mode(&self, mode: u32) -> io::Result<()> {
        set_mode(self.as_fd(), mode)
    }

    pub(crate) fn listen(&self, backlog: u32) -> io::Result<()> {
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        retry(|| {
            // SAFETY: no memory is involved. `fd` is open for the call, as it is borrowed.
            unsafe { libc::listen(self.fd.as_raw_fd(), backlog) }
        })?;
        Ok(())
    }

    /// Takes a connection from the backlog; EAGAIN when there is none. See [accept(2)].
    ///
    /// [accept(2)]: https://man7.org/linux/man-pages/man2/accept.2.html
    pub(crate) fn accept(&self) -> io::Result<DatagramFd> {
        let fd = retry(|| {
            // SAFETY: a null name is allowed, and then the length is not touched. `fd` is open for
            // the call, as it is borrowed.
            unsafe {
                libc::accept4(
                    self.fd.as_raw_fd(),
                    std::ptr::null_mut(),
                    std::ptr::null_mut(),
                    libc::SOCK_CLOEXEC,
                )
            }
        })?;
        // SAFETY: accept4 succeeded, so this is an open descriptor, and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(DatagramFd::new(fd, self.kind))
    }

    pub(crate) fn local_name(&self) -> io::Result<Name> {
        local_name(self.as_fd())
    }
}

impl AsFd for ListenerFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Has calls on a descriptor, and on all copies of it, answer that they would block instead of waiting.
fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    retry(|| {
        // SAFETY: no memory is involved. `fd` is open for the call, as it is borrowed.
        unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }
    })?;
    Ok(())
}
