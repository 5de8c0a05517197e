//! The runtime of one end: each has its own, of one thread, so that both ends can be on one thread or on two.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

/// A runtime of one thread, the one that waits for it.
pub(crate) fn new() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Makes the descriptor one that never waits, as a runtime wants it.
pub(crate) fn nonblocking(fd: OwnedFd) -> Result<OwnedFd> {
    // The type does not matter: what is set is the descriptor's.
    let stream = UnixStream::from(fd);
    stream.set_nonblocking(true)?;
    Ok(stream.into())
}
