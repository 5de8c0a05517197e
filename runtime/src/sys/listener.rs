//! Listening sockets.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Instant;

use super::errno::retry;
use super::kind::Kind;
use super::options::{self, Socket};
use super::permit::Permit;
use super::poll::poll;
use super::socket::{DatagramFd, set_nonblocking, shutdown, socket};

/// A listening SEQPACKET socket. It is non-blocking: waits poll.
#[derive(Debug)]
pub(crate) struct ListenerFd {
    fd: OwnedFd,
    kind: Kind,
    /// An eventfd that becomes readable on shutdown, for families whose listeners the kernel does not shut
    /// down: see [`shutdown`](Self::shutdown).
    stop: Option<File>,
}

/// The result of a wait for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wakeup {
    /// A client connected, or [`accept`](ListenerFd::accept) has an error to report.
    Client,
    /// The listener was shut down. The backlog may still hold clients.
    Shutdown,
    /// The deadline passed.
    TimedOut,
}

impl ListenerFd {
    /// Creates a close-on-exec socket, which does not listen yet.
    pub(crate) fn open(kind: Kind) -> io::Result<Self> {
        Self::new(socket(kind)?, kind)
    }

    /// Takes over a listening descriptor. Returns a description of any other socket.
    pub(crate) fn adopt(fd: OwnedFd) -> io::Result<Result<Self, Socket>> {
        let socket = options::inspect(fd.as_fd())?;
        match Kind::of(socket).filter(|kind| kind.is_connection() && socket.listening) {
            Some(kind) => Self::new(fd, kind).map(Ok),
            None => Ok(Err(socket)),
        }
    }

    fn new(fd: OwnedFd, kind: Kind) -> io::Result<Self> {
        set_nonblocking(fd.as_fd(), true)?;
        let stop = match kind {
            Kind::VsockSeqpacket => Some(eventfd()?),
            _ => None,
        };
        Ok(Self { fd, kind, stop })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn listen(&self, backlog: u32) -> io::Result<()> {
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        retry(|| {
            // SAFETY: no memory is involved. `fd` is open for the call, as it is borrowed.
            unsafe { libc::listen(self.fd.as_raw_fd(), backlog) }
        })?;
        Ok(())
    }

    /// Takes a connection from the backlog; EAGAIN if there is none. The connection keeps `permit`. See
    /// accept(2).
    pub(crate) fn accept(&self, permit: Option<Permit>) -> io::Result<DatagramFd> {
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
        // SAFETY: accept4 succeeded, so this is an open descriptor that nothing else owns.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(DatagramFd::new(fd, self.kind, permit))
    }

    /// Waits for a client until `deadline`.
    ///
    /// After a shutdown, a non-blocking accept on a UNIX listener fails with EAGAIN, as with an empty backlog.
    /// Only a blocking accept fails with EINVAL (net/unix/af_unix.c, unix_accept; net/core/datagram.c, where
    /// only a wait checks RCV_SHUTDOWN). A poll distinguishes the two.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> io::Result<Wakeup> {
        let of = |fd, events| libc::pollfd { fd, events, revents: 0 };
        let stop = self.stop.as_ref().map_or(-1, |stop| stop.as_raw_fd());
        let mut polled =
            [of(self.fd.as_raw_fd(), libc::POLLIN | libc::POLLRDHUP), of(stop, libc::POLLIN)];
        if !poll(&mut polled, deadline)? {
            return Ok(Wakeup::TimedOut);
        }
        let [listener, stop] = polled;
        let hung_up = listener.revents & (libc::POLLRDHUP | libc::POLLHUP) != 0;
        Ok(if hung_up || stop.revents != 0 { Wakeup::Shutdown } else { Wakeup::Client })
    }

    /// Shuts down the listener: every later [`wait`](Self::wait) returns [`Wakeup::Shutdown`].
    ///
    /// The kernel shuts down a UNIX listener for every holder, and refuses new clients. It does not shut down
    /// a vsock listener (ENOTCONN: net/vmw_vsock/af_vsock.c, vsock_shutdown). There, an eventfd ends the waits
    /// of this value only; see eventfd(2).
    pub(crate) fn shutdown(&self) -> io::Result<()> {
        match &self.stop {
            None => shutdown(self.as_fd(), Shutdown::Both),
            Some(stop) => {
                let mut stop: &File = stop;
                stop.write_all(&1_u64.to_ne_bytes())
            }
        }
    }

    /// Returns the descriptor that becomes readable on shutdown, if the listening one does not.
    pub(crate) fn stop_fd(&self) -> Option<BorrowedFd<'_>> {
        self.stop.as_ref().map(File::as_fd)
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

impl AsFd for ListenerFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Creates a close-on-exec eventfd with the count 0. See eventfd(2).
fn eventfd() -> io::Result<File> {
    let fd = retry(|| {
        // SAFETY: no memory is involved.
        unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) }
    })?;
    // SAFETY: eventfd succeeded, so this is an open descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) }.into())
}
