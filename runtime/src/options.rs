//! Options for opening an endpoint.

use std::io;
use std::os::fd::AsFd as _;
use std::time::Instant;

use crate::budget::Budget;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::sys::{self, DatagramFd};

/// Options for the `…_with` constructors.
///
/// Each constructor lists the options that it uses, and ignores the others.
///
/// ```
/// use std::fs;
/// use std::os::unix::fs::PermissionsExt;
///
/// use datagrammar::{Address, Connection, Limits, Listener, Message, Options, RecvError};
///
/// #[derive(Message)]
/// #[message(tag = 1)]
/// struct Note(String);
///
/// let path = std::env::temp_dir().join(format!("datagrammar-doc-options-{}", std::process::id()));
/// let address = Address::from_pathname(&path)?;
/// let options = Options::new().mode(0o660).backlog(16).limits(Limits::new().frame_len(4096));
/// let listener = Listener::<Note, Note>::bind_with(&address, &options)?;
/// assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o660);
///
/// let mut client = Connection::<Note, Note>::connect(&address)?;
/// client.send(&Note("x".repeat(5000)))?;
/// let mut server = listener.accept()?;
/// assert!(matches!(server.recv(), Err(RecvError::TooLarge { limit: 4096, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    pub(crate) limits: Limits,
    pub(crate) budget: Option<Budget>,
    pub(crate) mode: u32,
    pub(crate) backlog: u32,
    pub(crate) server_uid: Option<u32>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) policy: Policy,
    pub(crate) identify_senders: bool,
    pub(crate) recv_buffer: Option<usize>,
    pub(crate) send_buffer: Option<usize>,
    pub(crate) eager: bool,
}

impl Options {
    /// Returns the options of the plain constructors: mode `0o600`, a backlog of 128,
    /// [`Limits::default`], no budget, any server, no deadline, [`Policy::anyone`], the kernel's default buffers,
    /// senders not identified, not eager.
    pub fn new() -> Self {
        Self {
            limits: Limits::default(),
            budget: None,
            mode: 0o600,
            backlog: 128,
            server_uid: None,
            deadline: None,
            policy: Policy::anyone(),
            identify_senders: false,
            recv_buffer: None,
            send_buffer: None,
            eager: false,
        }
    }

    /// Sets the [`Limits`] of what the endpoint receives.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Makes the endpoint share a [`Budget`] with others: a listener with its accepted connections, or any other
    /// connection.
    pub fn budget(self, budget: &Budget) -> Self {
        Self { budget: Some(budget.clone()), ..self }
    }

    /// Sets the permission bits of a bound path, regardless of the umask. Clients need write permission to
    /// connect or send. If the umask clears some of the bits, binding needs /proc before Linux 6.6 (chmod(2)).
    pub fn mode(self, mode: u32) -> Self {
        Self { mode: mode & 0o777, ..self }
    }

    /// Sets how many connections may wait to be accepted. The kernel limits the number to
    /// `net.core.somaxconn` (listen(2)), and admits one more.
    pub fn backlog(self, connections: u32) -> Self {
        Self { backlog: connections, ..self }
    }

    /// Connects only to a server that runs as this user (UNIX only). Use it with abstract names, which
    /// anybody can take.
    pub fn server_uid(self, uid: u32) -> Self {
        Self { server_uid: Some(uid), ..self }
    }

    /// Accepts only clients that the policy admits (UNIX only, except for [`Policy::anyone`]).
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Makes [`Frame::sender`](crate::Frame::sender) return who sent each frame, on a UNIX
    /// [`Socket`](crate::Socket).
    pub fn identify_senders(self) -> Self {
        Self { identify_senders: true, ..self }
    }

    /// Sets the instant until which connecting waits for a server with a full backlog.
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Sets the size of the kernel's receive buffer, in bytes (`SO_RCVBUF`). Raise it over UDP if
    /// [`Socket::drops`](crate::Socket::drops) increases.
    ///
    /// The kernel limits `bytes` to `net.core.rmem_max`, doubles it to leave room for its own
    /// bookkeeping, and uses at least 2,304 on x86-64 (socket(7); `sk_setsockopt` in net/core/sock.c).
    /// The option has no effect over UNIX, where queued data counts against the sender's buffer (unix(7)), and
    /// over vsock.
    pub fn recv_buffer(self, bytes: usize) -> Self {
        Self { recv_buffer: Some(bytes), ..self }
    }

    /// Sets the size of the kernel's send buffer, in bytes (`SO_SNDBUF`). It bounds the data that is sent but
    /// not yet received (UNIX), or has not yet left this machine (UDP).
    ///
    /// The kernel limits `bytes` to `net.core.wmem_max`, doubles it to leave room for its own
    /// bookkeeping, and uses at least 4,608 on x86-64 (socket(7); `sk_setsockopt` in net/core/sock.c).
    /// The longest UNIX datagram is the doubled size less 32 bytes (net/unix/af_unix.c); a larger frame
    /// travels in pieces over a connection. The option has no effect over vsock.
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
    /// // Each message uses more of the buffer than its own length.
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

    /// Makes a blocking receive wait in the read instead of a peek. That saves a system call for most frames, and
    /// lowers latency. A waiting receiver then keeps up to 16 KiB of memory.
    ///
    /// The first wait, a wait after a datagram over 16 KiB, and waits until a deadline still use a peek or ppoll(2).
    /// An endpoint on tokio waits in the reactor, with or without this option.
    pub fn eager(self) -> Self {
        Self { eager: true, ..self }
    }

    /// Sets the sizes of the kernel's buffers for `fd`, if the options have any.
    pub(crate) fn set_buffers(&self, fd: &DatagramFd) -> io::Result<()> {
        sys::set_buffers(fd.as_fd(), self.recv_buffer, self.send_buffer)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
