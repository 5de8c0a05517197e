//! Listeners: where connections come from.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::address::Address;
use crate::connection::Connection;
use crate::error::OpenError;
use crate::limits::Limits;
use crate::message::Message;
use crate::options::Options;
use crate::policy::Policy;
use crate::sys::ListenerFd;
use crate::transport::{self, Claim};
use crate::wait::Wait;

/// Accepts connections that send messages of type `Tx` and receive messages of type `Rx`.
///
/// ```
/// use datagrammar::{Connection, Listener, Message};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// let address = "unix:@datagrammar-doc-listener".parse()?;
/// let listener = Listener::<Ping, Ping>::bind(&address)?;
/// let mut client = Connection::<Ping, Ping>::connect(&address)?;
/// client.send(&Ping::Ping)?;
/// assert!(listener.accept()?.recv()?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Paths
///
/// A path is taken over only from a dead socket: not from a living one, whoever's it is
/// ([`OpenError::InUse`]), and not from a file, a directory or a symbolic link
/// ([`OpenError::NotASocket`]). Listeners exclude each other by an empty lock file beside the path,
/// `<path>.lock`; what else has that name is left alone too ([`OpenError::NotALock`]). Both are removed when the listener is dropped. The path's permission bits are those
/// of [`Options::mode`], `0o600` by default, from the moment it exists.
pub struct Listener<Tx, Rx> {
    /// Given up before the descriptor is closed.
    _claim: Option<Claim>,
    fd: ListenerFd,
    limits: Limits,
    policy: Policy,
    rejected: AtomicU64,
    messages: PhantomData<fn(Tx) -> Rx>,
}

impl<Tx: Message, Rx: Message> Listener<Tx, Rx> {
    /// Binds to `address`, a `unix:` or `vsock:` one, and listens.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: `InUse`, `NotHere`, `NotASocket`, `NotALock`, `WrongFamily`, `Unsupported`,
    /// `Exhausted`, `Io`.
    pub fn bind(address: &Address) -> Result<Self, OpenError> {
        Self::bind_with(address, &Options::new())
    }

    /// As [`bind`](Self::bind), with options: `mode`, `backlog`, `policy`, and `limits` for the
    /// connections.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        let (fd, claim) = transport::listen(address, options, Rx::DESCRIPTORS)?;
        Ok(Self::new(fd, claim, options))
    }

    /// Takes over a descriptor that listens already, such as one of [`activated`](crate::activated()). It
    /// is made non-blocking, for all who hold it.
    ///
    /// # Errors
    ///
    /// [`OpenError::WrongDescriptor`], saying what it is; [`OpenError::Io`].
    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::adopt_with(fd, &Options::new())
    }

    /// As [`adopt`](Self::adopt), with options: `policy`, and `limits` for the connections.
    ///
    /// # Errors
    ///
    /// As [`adopt`](Self::adopt), and `WrongFamily` for a policy over vsock.
    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        let fd = transport::adopt_listener(fd, options, Rx::DESCRIPTORS)?;
        Ok(Self::new(fd, None, options))
    }

    fn new(fd: ListenerFd, claim: Option<Claim>, options: &Options) -> Self {
        let Options { limits, ref policy, .. } = *options;
        let (policy, rejected) = (policy.clone(), AtomicU64::new(0));
        Self { _claim: claim, fd, limits, policy, rejected, messages: PhantomData }
    }

    /// Accepts a connection, waiting for it as long as it takes.
    ///
    /// # Errors
    ///
    /// [`OpenError::Exhausted`] while there is no descriptor for it: the client stays in the backlog,
    /// so wait before trying again ([`Backoff`](crate::Backoff)). [`OpenError::Io`].
    pub fn accept(&self) -> Result<Connection<Tx, Rx>, OpenError> {
        self.accept_waiting(Wait::Block)
    }

    /// Accepts a connection if one is there.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept), and [`OpenError::WouldBlock`].
    pub fn try_accept(&self) -> Result<Connection<Tx, Rx>, OpenError> {
        self.accept_waiting(Wait::Try)
    }

    /// Accepts a connection, waiting for it until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept), and [`OpenError::TimedOut`].
    pub fn accept_deadline(&self, deadline: Instant) -> Result<Connection<Tx, Rx>, OpenError> {
        self.accept_waiting(Wait::Until(deadline))
    }

    /// The address that the listener is bound to.
    ///
    /// # Errors
    ///
    /// Of the system call.
    pub fn local_addr(&self) -> io::Result<Address> {
        self.fd.local_name().map(Address::from)
    }

    /// How many connections the [`Policy`] has turned away.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    fn accept_waiting(&self, wait: Wait) -> Result<Connection<Tx, Rx>, OpenError> {
        let mut rounds = 0;
        loop {
            let fd = transport::accept(&self.fd, wait)?;
            let identified =
                |source| OpenError::Io { action: "identifying a client".into(), source };
            if !self.policy.asks() || self.policy.admits(&transport::peer(&fd).map_err(identified)?)
            {
                return Ok(Connection::new(fd, self.limits));
            }
            self.rejected.fetch_add(1, Ordering::Relaxed);
            transport::goes_on(wait, &mut rounds)?;
        }
    }
}

impl<Tx, Rx> AsFd for Listener<Tx, Rx> {
    /// The listening descriptor, which is non-blocking, to be polled.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl<Tx, Rx> fmt::Debug for Listener<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("fd", &self.fd.as_fd()).finish_non_exhaustive()
    }
}
