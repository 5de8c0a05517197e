//! A socket that listens.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::errno::retry;
use super::kind::Kind;
use super::name::Name;
use super::options::{self, Socket};
use super::poll::poll;
use super::socket::{DatagramFd, bind, local_name, set_mode, shutdown, socket};

/// A listening SEQPACKET socket. It never blocks: waiting is done by polling.
#[derive(Debug)]
pub(crate) struct ListenerFd {
    fd: OwnedFd,
    kind: Kind,
    /// An eventfd that is readable once the listener has been shut down, where the kernel does not shut
    /// listeners down: see [`shutdown`](Self::shutdown).
    stop: Option<File>,
    ended: AtomicBool,
}

/// What a wait for a client ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// A client, or an error for [`accept`](ListenerFd::accept) to report.
    Client,
    /// The listener has been shut down. Clients may be left in the backlog.
    Shutdown,
    /// The deadline.
    Nothing,
}

impl ListenerFd {
    /// Makes a socket to listen on later, closed on exec.
    pub(crate) fn open(kind: Kind) -> io::Result<Self> {
        Self::new(socket(kind)?, kind)
    }

    /// Takes over a descriptor after asking what it is. Returns what it is instead if it does not listen
    /// for connections.
    pub(crate) fn adopt(fd: OwnedFd) -> io::Result<Result<Self, Socket>> {
        let socket = options::inspect(fd.as_fd())?;
        match Kind::of(socket).filter(|kind| kind.is_connection() && socket.listening) {
            Some(kind) => Self::new(fd, kind).map(Ok),
            None => Ok(Err(socket)),
        }
    }

    fn new(fd: OwnedFd, kind: Kind) -> io::Result<Self> {
        set_nonblocking(fd.as_fd())?;
        let stop = match kind {
            Kind::VsockSeqpacket => Some(eventfd()?),
            _ => None,
        };
        Ok(Self { fd, kind, stop, ended: AtomicBool::new(false) })
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

    /// Sets the permission bits that a path gets from [`bind`](Self::bind), less those of the umask.
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

    /// Waits for a client, until `deadline` at most.
    ///
    /// A UNIX listener that was shut down answers EAGAIN to a non-blocking accept, like one that has
    /// nobody to accept: EINVAL is for the blocking one alone (net/unix/af_unix.c, unix_accept, and
    /// net/core/datagram.c, where only a wait looks at RCV_SHUTDOWN). A poll tells them apart.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> io::Result<Arrival> {
        let of = |fd, events| libc::pollfd { fd, events, revents: 0 };
        let stop = self.stop.as_ref().map_or(-1, |stop| stop.as_raw_fd());
        let mut polled =
            [of(self.fd.as_raw_fd(), libc::POLLIN | libc::POLLRDHUP), of(stop, libc::POLLIN)];
        if !poll(&mut polled, deadline)? {
            return Ok(Arrival::Nothing);
        }
        let [listener, stop] = polled;
        let hung_up = listener.revents & (libc::POLLRDHUP | libc::POLLHUP) != 0;
        Ok(if hung_up || stop.revents != 0 { Arrival::Shutdown } else { Arrival::Client })
    }

    /// Ends waiting for clients, for good: every [`wait`](Self::wait) answers [`Arrival::Shutdown`]
    /// from now on.
    ///
    /// The kernel shuts down a UNIX listener for every holder, and refuses clients from then on. It
    /// does not shut down a vsock one (ENOTCONN: net/vmw_vsock/af_vsock.c, vsock_shutdown), so that an
    /// eventfd has to end the waits, those of this value alone; see [eventfd(2)].
    ///
    /// [eventfd(2)]: https://man7.org/linux/man-pages/man2/eventfd.2.html
    pub(crate) fn shutdown(&self) -> io::Result<()> {
        match &self.stop {
            None => shutdown(self.as_fd(), Shutdown::Both),
            Some(stop) => {
                let mut stop: &File = stop;
                stop.write_all(&1_u64.to_ne_bytes())
            }
        }
    }

    /// Notes that the backlog was empty after a shutdown. Over vsock the kernel goes on filling it.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub(crate) fn local_name(&self) -> io::Result<Name> {
        local_name(self.as_fd())
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

/// Makes a counter that is zero, closed on exec. See [eventfd(2)].
///
/// [eventfd(2)]: https://man7.org/linux/man-pages/man2/eventfd.2.html
fn eventfd() -> io::Result<File> {
    let fd = retry(|| {
        // SAFETY: no memory is involved.
        unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) }
    })?;
    // SAFETY: eventfd succeeded, so this is an open descriptor, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) }.into())
}

/// Has calls on a descriptor and on its duplicates fail with EAGAIN instead of waiting.
fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    retry(|| {
        // SAFETY: no memory is involved. `fd` is open for the call, as it is borrowed.
        unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }
    })?;
    Ok(())
}
