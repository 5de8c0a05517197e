//! Who is at the other end, as the kernel knows it.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Instant;

use crate::sys::{self, Credentials, Readiness};

/// The process at the other end, as the kernel vouches for it.
///
/// Of a connection: the process that connected, or that began to listen, as it was then, by its effective
/// user and group. Of a frame: the process that sent it, as it was then, by its real user and group, or by
/// any that it may act as and has chosen to name (root may name anybody; unix(7), `SCM_CREDENTIALS`).
///
/// Authorise by `uid` and `gid`. A process is identified by its `pidfd` alone, as its number goes to
/// another one after it has ended.
///
/// ```
/// use datagrammar::{Connection, Message};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// let (ours, _theirs) = Connection::<Ping, Ping>::pair()?;
/// let peer = ours.peer()?;
/// assert_eq!(peer.pid, std::process::id());
/// assert_ne!(peer.has_ended(), Some(true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Peer {
    /// The user that it acts as.
    pub uid: u32,
    /// The group that it acts as.
    pub gid: u32,
    /// Its number in our PID namespace; 0 if it has none there. For logs: another process may have it by
    /// now.
    pub pid: u32,
    /// The process itself, where the kernel tells (Linux 6.5): unless it had been waited for by then, or this
    /// process could open no more descriptors.
    pub pidfd: Option<OwnedFd>,
}

impl Peer {
    /// Whether the process has ended; `None` without its `pidfd`.
    #[must_use]
    pub fn has_ended(&self) -> Option<bool> {
        let pidfd = self.pidfd.as_ref()?;
        // It is readable from its end on (pidfd_open(2)).
        sys::wait(pidfd.as_fd(), Readiness::Readable, Some(Instant::now())).ok()
    }
}

impl From<Credentials> for Peer {
    fn from(Credentials { uid, gid, pid, pidfd }: Credentials) -> Self {
        Self { uid, gid, pid, pidfd }
    }
}
