//! The identity of a peer, as the kernel reports it.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Instant;

use crate::sys::{self, Credentials, Readiness};

/// The process at the other end, as the kernel reports it.
///
/// The peer of a connection is the process that connected or called listen(2). The kernel reports its
/// effective user and group, and its supplementary groups, all at that time. The sender of a frame is the
/// process that sent it. The kernel reports its real user and group at that time, or others that the sender
/// chose and may use (root may choose any; unix(7), `SCM_CREDENTIALS`), without supplementary groups.
///
/// Authorise by `uid`, `gid` and `groups`. Identify a process only by its `pidfd`: the kernel reuses process
/// ids.
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
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
    /// The supplementary groups of a connection's peer (`SO_PEERGROUPS`), which may include `gid`. Empty for
    /// the sender of a frame, and before Linux 4.13.
    pub groups: Vec<u32>,
    /// The process id in this process's PID namespace, or 0 if it has none there. Use it for logs only: the
    /// kernel may have reused it.
    pub pid: u32,
    /// A descriptor of the process. `None` before Linux 6.5, for a process that was already reaped, and if this
    /// process could not open another descriptor.
    pub pidfd: Option<OwnedFd>,
}

impl Peer {
    /// Creates a peer by hand, without groups, `pid` and `pidfd`, to test code that authorises peers.
    ///
    /// ```
    /// use datagrammar::Peer;
    ///
    /// let mut peer = Peer::new(1000, 100);
    /// peer.groups = vec![27];
    /// assert_eq!((peer.uid, peer.gid, peer.pid, peer.has_ended()), (1000, 100, 0, None));
    /// ```
    #[must_use]
    pub fn new(uid: u32, gid: u32) -> Self {
        Self { uid, gid, groups: Vec::new(), pid: 0, pidfd: None }
    }

    /// Returns whether the process has ended, or `None` without a `pidfd`.
    #[must_use]
    pub fn has_ended(&self) -> Option<bool> {
        let pidfd = self.pidfd.as_ref()?;
        // It becomes readable when the process ends (pidfd_open(2)).
        sys::wait(pidfd.as_fd(), Readiness::Readable, Some(Instant::now())).ok()
    }
}

impl From<Credentials> for Peer {
    fn from(Credentials { uid, gid, groups, pid, pidfd }: Credentials) -> Self {
        Self { uid, gid, groups, pid, pidfd }
    }
}
