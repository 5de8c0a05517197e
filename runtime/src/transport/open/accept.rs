//! Accepts connections from clients that the policy admits.

use std::io::{self, ErrorKind};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::backoff::Backoff;
use crate::budget::Budget;
use crate::error::AcceptError;
use crate::options::Options;
use crate::sys::{DatagramFd, ListenerFd, Wakeup, is_exhausted};
use crate::transport::wait::MAX_PAUSE;
use crate::wait::Wait;

/// The most clients that a non-blocking call rejects before it returns `WouldBlock`: more than a backlog
/// holds. Any clients left connected after the call began, so an edge-triggered poller reports them.
const MAX_REJECTED: u32 = 65_536;

/// Accepts the connections of a listener.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) fd: ListenerFd,
    pub(crate) options: Options,
    /// How many clients the policy has rejected.
    pub(crate) rejected: AtomicU64,
    /// Whether the backlog was empty after a shutdown. Over vsock, the kernel keeps filling it.
    ended: AtomicBool,
}

impl Acceptor {
    pub(crate) fn new(fd: ListenerFd, options: &Options) -> Self {
        let (rejected, ended) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { fd, options: options.clone(), rejected, ended }
    }

    /// Accepts a connection from a client that the policy admits. Counts other clients.
    ///
    /// The connection has a permit of the budget, until the last clone of its descriptor is dropped.
    pub(crate) fn accept(&self, wait: Wait) -> Result<DatagramFd, AcceptError> {
        let mut rejections = 0_u32;
        loop {
            if let Some(fd) = self.accept_next(wait)? {
                return Ok(fd);
            }
            rejections = rejections.saturating_add(1);
            match wait {
                Wait::Try if rejections >= MAX_REJECTED => return Err(AcceptError::WouldBlock),
                Wait::Until(deadline) if Instant::now() >= deadline => {
                    return Err(AcceptError::TimedOut);
                }
                Wait::Block | Wait::Try | Wait::Until(_) => {}
            }
        }
    }

    /// Accepts the next connection like [`accept`](Self::accept), or returns `None` if the policy rejects the client.
    pub(crate) fn accept_next(&self, wait: Wait) -> Result<Option<DatagramFd>, AcceptError> {
        let (fd, options) = (self.next(wait)?, &self.options);
        if options.policy.needs_identity()
            && !options.policy.admits(&fd.peer().map_err(failed("identifying a client"))?.into())
        {
            self.rejected.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        }
        options.set_buffers(&fd).map_err(failed("setting the buffers of a connection"))?;
        Ok(Some(fd))
    }

    /// Accepts the next connection, from any client.
    fn next(&self, wait: Wait) -> Result<DatagramFd, AcceptError> {
        let Self { fd: listener, options, .. } = self;
        if self.ended.load(Ordering::Relaxed) {
            return Err(AcceptError::Shutdown);
        }
        let mut backoff = Backoff::up_to(MAX_PAUSE);
        let (mut shut_down, mut woken) = (false, false);
        loop {
            let permit = match options.budget.as_ref().map(Budget::admit).transpose() {
                Ok(permit) => permit,
                Err(full) => return Err(self.full_or_shut_down(full)),
            };
            // Without a client, this gives the permit back: a waiting listener needs none.
            match listener.accept(permit) {
                Ok(fd) => return Ok(fd),
                // The client gave up while it waited in the backlog.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Another holder has shut it down and made it blocking (see `ListenerFd::wait`).
                Err(error) if error.kind() == ErrorKind::InvalidInput => {
                    return Err(AcceptError::Shutdown);
                }
                Err(error) => return Err(failed("accepting a connection")(error)),
            }
            if shut_down {
                return Err(self.end());
            }
            let deadline = match wait {
                Wait::Block => None,
                Wait::Try => Some(Instant::now()),
                Wait::Until(deadline) => Some(deadline),
            };
            match listener.wait(deadline).map_err(failed("waiting for a client"))? {
                // Clients from before the shutdown are still in the backlog.
                Wakeup::Shutdown => shut_down = true,
                Wakeup::TimedOut | Wakeup::Client if wait == Wait::Try => {
                    return Err(AcceptError::WouldBlock);
                }
                Wakeup::TimedOut => return Err(AcceptError::TimedOut),
                // Another process accepted the client again: pause, and leave it the others.
                Wakeup::Client if mem::replace(&mut woken, true) => {
                    if !backoff.wait_until(deadline) {
                        return Err(AcceptError::TimedOut);
                    }
                }
                Wakeup::Client => {}
            }
        }
    }

    /// Returns `full`, unless the listener was shut down. After a shutdown, the kernel does not report whether the
    /// backlog is empty, and an accept loop must end even if no connection does.
    fn full_or_shut_down(&self, full: AcceptError) -> AcceptError {
        match self.fd.wait(Some(Instant::now())) {
            Ok(Wakeup::Shutdown) => self.end(),
            Ok(Wakeup::Client | Wakeup::TimedOut) => full,
            Err(error) => failed("waiting for a client")(error),
        }
    }

    fn end(&self) -> AcceptError {
        self.ended.store(true, Ordering::Relaxed);
        AcceptError::Shutdown
    }
}

fn failed(action: &'static str) -> impl FnOnce(io::Error) -> AcceptError {
    move |source| match is_exhausted(&source) {
        true => AcceptError::Exhausted(source),
        false => AcceptError::Io { action, source },
    }
}
