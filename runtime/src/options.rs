//! How an endpoint is opened.

use std::time::Instant;

use crate::limits::Limits;
use crate::policy::Policy;

/// How an endpoint is opened, for the `…_with` constructors. Each constructor names the options that it
/// uses, and ignores the others.
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
    pub(crate) recv_buffer: Option<usize>,
    pub(crate) send_buffer: Option<usize>,
    pub(crate) eager: bool,
}

impl Options {
    /// Returns the options of the plain constructors: mode `0o600`, a backlog of 128,
    /// [`Limits::default`], any server, no deadline, [`Policy::anyone`], the kernel's default buffers,
    /// senders not identified, not eager.
    pub fn new() -> Self {
        Self {
            limits: Limits::default(),
            mode: 0o600,
            backlog: 128,
            server_uid: None,
            deadline: None,
            policy: Policy::anyone(),
            identify: false,
            recv_buffer: None,
            send_buffer: None,
            eager: false,
        }
    }

    /// Sets what the endpoint receives.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets the permission bits of a path that is bound, whatever the umask. Connecting and sending need
    /// write permission.
    pub fn mode(self, mode: u32) -> Self {
        Self { mode: mode & 0o777, ..self }
    }

    /// Sets how many connections may wait to be accepted, in addition to one. The kernel cuts this to
    /// `net.core.somaxconn` (listen(2)).
    pub fn backlog(self, connections: u32) -> Self {
        Self { backlog: connections, ..self }
    }

    /// Connects only to a server that runs as this user (UNIX only). Use it with abstract names above
    /// all: anybody may have taken the name.
    pub fn server_uid(self, uid: u32) -> Self {
        Self { server_uid: Some(uid), ..self }
    }

    /// Accepts only those whom the policy admits (UNIX only, except for [`Policy::anyone`]).
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Has [`Frame::sender`](crate::Frame::sender) tell who sent each frame, on a
    /// [`Socket`](crate::Socket) over UNIX.
    pub fn identify_senders(self) -> Self {
        Self { identify: true, ..self }
    }

    /// Stops connecting at this instant, where the server's backlog is full.
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Sets the size of the kernel's receive buffer, in bytes (`SO_RCVBUF`). For UDP: raise it where
    /// [`Socket::drops`](crate::Socket::drops) counts.
    ///
    /// The kernel cuts `bytes` to `net.core.rmem_max`, doubles it to leave room for its own
    /// bookkeeping, and uses at least 2,304 on x86-64 (socket(7); `sk_setsockopt` in net/core/sock.c).
    /// UNIX sockets have no receive buffer: what is queued counts against the sender's (unix(7)). Over
    /// vsock the option has no effect either.
    pub fn recv_buffer(self, bytes: usize) -> Self {
        Self { recv_buffer: Some(bytes), ..self }
    }

    /// Sets the size of the kernel's send buffer, in bytes (`SO_SNDBUF`): how much may be sent and not
    /// yet be received over UNIX, or not yet have left this machine over UDP.
    ///
    /// The kernel cuts `bytes` to `net.core.wmem_max`, doubles it to leave room for its own
    /// bookkeeping, and uses at least 4,608 on x86-64 (socket(7); `sk_setsockopt` in net/core/sock.c).
    /// The longest UNIX datagram is the doubled size less 32 bytes (net/unix/af_unix.c); a larger frame
    /// goes in pieces over a connection. Over vsock the option has no effect.
    ///
    /// ```
    /// use datagrammar::{Connection, Message, Options};
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    ///
    /// // Each message takes more of the buffer than its own length.
    /// let room = |options: &Options| -> Result<usize, Box<dyn std::error::Error>> {
    ///     let (mut ours, _theirs) = Connection::<Ping, Ping>::pair_with(options)?;
    ///     Ok(std::iter::from_fn(|| ours.try_send(&Ping::Ping).ok()).count())
    /// };
    /// assert!(room(&Options::new().send_buffer(4_096))? < room(&Options::new())?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_buffer(self, bytes: usize) -> Self {
        Self { send_buffer: Some(bytes), ..self }
    }

    /// Receives eagerly, for conversations that count every microsecond: a receiver that waits does so
    /// in the read itself, one system call instead of two, and keeps up to 16 KiB meanwhile.
    pub fn eager(self) -> Self {
        Self { eager: true, ..self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
