//! Connects without blocking the thread.

use std::io;
use std::os::fd::AsFd as _;
use std::time::Duration;

use ::tokio::io::Interest;
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
            // No event reports when there is room.
            Attempt::BacklogFull => sleep(backoff.next_pause()).await,
            Attempt::InProgress => {
                let registered = match &registered {
                    Some(registered) => registered,
                    None => {
                        let fd = connecting.as_fd();
                        let new = sys::register_duplicate(fd, Interest::WRITABLE);
                        registered.insert(new.map_err(not_registered)?)
                    }
                };
                let mut ready = registered.writable().await.map_err(not_registered)?;
                ready.clear_ready();
            }
        }
    }
}

/// Maps an error of epoll_ctl(2).
pub(super) fn not_registered(source: io::Error) -> OpenError {
    OpenError::Io { action: "registering a socket with the tokio runtime".into(), source }
}
