//! The socket that both halves hold.

use std::io;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::DatagramFd;
use crate::transport::PathGuard;

/// The socket that both halves hold.
#[derive(Debug)]
pub(super) struct Shared {
    /// Dropped before the descriptor is closed.
    _path_guard: Option<PathGuard>,
    pub(super) fd: DatagramFd,
    /// Whether one of the halves has shut it down.
    is_shut_down: AtomicBool,
}

impl Shared {
    pub(super) fn new(fd: DatagramFd, path_guard: Option<PathGuard>) -> Self {
        Self { _path_guard: path_guard, fd, is_shut_down: AtomicBool::new(false) }
    }

    pub(super) fn shutdown(&self) -> io::Result<()> {
        self.is_shut_down.store(true, Ordering::Release);
        match self.fd.shutdown(Shutdown::Both) {
            // The kernel shuts down a socket without a peer, and still fails with ENOTCONN
            // (net/ipv4/af_inet.c, inet_shutdown).
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.is_shut_down.load(Ordering::Acquire)
    }
}
