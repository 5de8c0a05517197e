//! Connects without blocking the thread.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::time::{sleep, timeout_at};

use crate::address::Address;
use crate::backoff::Backoff;
use crate::error::OpenError;
use crate::options::Options;
use crate::sys::{self, DatagramFd};
use crate::transport::{Attempt, Connecting};

/// The longest pause while the backlog of a listener is full.
const MAX_PAUSE: Duration = Duration::from_millis(20);

/// Connects to the listener at `address`, until the deadline of `options`.
pub(super) async fn connect(address: &Address, options: &Options) -> Result<DatagramFd, OpenError> {
    let connecting = Connecting::new(address, options)?;
    match options.deadline {
        None => connect_or_wait(&connecting).await?,
        Some(deadline) => timeout_at(deadline.into(), connect_or_wait(&connecting))
            .await
            .unwrap_or_else(|_| Err(connecting.timed_out()))?,
    }
    connecting.finish()
}

async fn connect_or_wait(connecting: &Connecting<'_>) -> Result<(), OpenError> {
    let mut backoff = Backoff::up_to(MAX_PAUSE);
    let mut registered = None;
    loop {
        match connecting.attempt()? {
            Attempt::Connected => return Ok(()),
            // No event tells when there is room.
            Attempt::BacklogFull => sleep(backoff.next_pause()).await,
            Attempt::InProgress => {
                let registered = match &registered {
                    Some(registered) => registered,
                    None => registered.insert(register(connecting).map_err(not_registered)?),
                };
                let mut ready = registered.writable().await.map_err(not_registered)?;
                ready.clear_ready();
            }
        }
    }
}

/// Registers a duplicate, as the connection registers the descriptor itself.
fn register(connecting: &Connecting<'_>) -> io::Result<AsyncFd<OwnedFd>> {
    let duplicate = connecting.as_fd().try_clone_to_owned()?;
    sys::register(duplicate, Interest::WRITABLE)
}

/// Maps an error of epoll_ctl(2).
pub(super) fn not_registered(source: io::Error) -> OpenError {
    OpenError::Io { action: "registering a socket with the tokio runtime".into(), source }
}
