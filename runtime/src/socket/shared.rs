//! The socket that both halves hold.

use std::io;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::DatagramFd;
use crate::transport::Claim;

/// The socket that both halves hold.
#[derive(Debug)]
pub(super) struct Shared {
    /// Given up before the descriptor is closed.
    _claim: Option<Claim>,
    pub(super) fd: DatagramFd,
    /// Whether it has been shut down by one of the halves.
    is_shut_down: AtomicBool,
}

impl Shared {
    pub(super) fn new(fd: DatagramFd, claim: Option<Claim>) -> Self {
        Self { _claim: claim, fd, is_shut_down: AtomicBool::new(false) }
    }

    pub(super) fn shutdown(&self) -> io::Result<()> {
        self.is_shut_down.store(true, Ordering::Release);
        match self.fd.shutdown(Shutdown::Both) {
            // What the kernel says of a socket without a peer, which it has shut down all the same
            // (net/ipv4/af_inet.c, inet_shutdown).
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.is_shut_down.load(Ordering::Acquire)
    }
}
