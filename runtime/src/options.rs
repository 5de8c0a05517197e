//! How an endpoint is opened.

use std::time::Instant;

use crate::limits::Limits;
use crate::policy::Policy;

/// How an endpoint is opened, for the `…_with` constructors. Each option is used by those it
/// concerns.
///
/// ```
/// use datagrammar::{Limits, Options};
///
/// let options = Options::new().mode(0o660).backlog(16).limits(Limits::default().frame_len(4096));
/// # let _ = options;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    pub(crate) limits: Limits,
    pub(crate) mode: u32,
    pub(crate) backlog: u32,
    pub(crate) server_uid: Option<u32>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) policy: Policy,
    pub(crate) identify: bool,
    pub(crate) eager: bool,
}

impl Options {
    /// What the plain constructors use: mode `0o600`, a backlog of 128, [`Limits::default`], any
    /// server, no deadline, [`Policy::anyone`], senders not identified.
    pub fn new() -> Self {
        Self {
            limits: Limits::default(),
            mode: 0o600,
            backlog: 128,
            server_uid: None,
            deadline: None,
            policy: Policy::anyone(),
            identify: false,
            eager: false,
        }
    }

    /// What the endpoint receives.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The permission bits of a path that is bound, whatever the umask. Connecting and sending need
    /// write permission.
    pub fn mode(self, mode: u32) -> Self {
        Self { mode: mode & 0o777, ..self }
    }

    /// How many connections may wait to be accepted, in addition to one. The kernel cuts it to
    /// `net.core.somaxconn`.
    pub fn backlog(self, connections: u32) -> Self {
        Self { backlog: connections, ..self }
    }

    /// Connect only to a server that runs as this user (UNIX only): a name, above all an abstract
    /// one, may have been taken by somebody else.
    pub fn server_uid(self, uid: u32) -> Self {
        Self { server_uid: Some(uid), ..self }
    }

    /// Accept only whom the policy admits (UNIX only, unless it is [`Policy::anyone`]).
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Have [`Frame::sender`](crate::Frame::sender) tell who sent each frame: for a
    /// [`Socket`](crate::Socket) over UNIX.
    pub fn identify_senders(self) -> Self {
        Self { identify: true, ..self }
    }

    /// Connect until this instant at the latest, where the server's backlog is full.
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
