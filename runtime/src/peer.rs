//! Who is at the other end, as the kernel knows it.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Instant;

use crate::sys::{self, Credentials, Readiness};

/// The process at the other end, as the kernel vouches for it.
///
/// The peer of a connection is the process that connected, or that began to listen, as it was then: the
/// kernel tells its effective user and group, and its supplementary groups. The sender of a frame is the
/// process that sent it, as it was then: the kernel tells its real user and group, or others that it may
/// act as and chose to name (root may name anybody; unix(7), `SCM_CREDENTIALS`), and no supplementary
/// groups.
///
/// Authorise by `uid`, `gid` and `groups`. Identify a process by its `pidfd` alone: its number goes to
/// another process once it has ended.
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
    /// The supplementary groups of a connection's peer (`SO_PEERGROUPS`). They may
    /// include `gid`. Empty for the sender of a frame, and before Linux 4.13.
    pub groups: Vec<u32>,
    /// Its number in our PID namespace, or 0 if it has none there. For logs: another process may have the
    /// number by now.
    pub pid: u32,
    /// The process itself. `None` before Linux 6.5, for a process that had been waited for by then, and
    /// where this process could not open another descriptor.
    pub pidfd: Option<OwnedFd>,
}

impl Peer {
    /// Returns whether the process has ended, or `None` without its `pidfd`.
    #[must_use]
    pub fn has_ended(&self) -> Option<bool> {
        let pidfd = self.pidfd.as_ref()?;
        // It is readable from its end on (pidfd_open(2)).
        sys::wait(pidfd.as_fd(), Readiness::Readable, Some(Instant::now())).ok()
    }
}

impl From<Credentials> for Peer {
    fn from(Credentials { uid, gid, groups, pid, pidfd }: Credentials) -> Self {
        Self { uid, gid, groups, pid, pidfd }
    }
}
