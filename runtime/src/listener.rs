//! Listeners, which accept connections.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::address::Address;
use crate::connection::Connection;
use crate::error::{AcceptError, OpenError};
use crate::message::Message;
use crate::options::Options;
use crate::sys::{self, ListenerFd};
use crate::transport::{self, Acceptor, PathGuard};
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
/// A listener replaces the dead socket of a server that crashed. It does not replace a live socket of any
/// program ([`OpenError::InUse`]), a socket that it may not probe ([`OpenError::NotProbed`]), or a file, a
/// directory or a symbolic link ([`OpenError::NotASocket`]).
///
/// Listeners exclude each other with an empty lock file, `<path>.lock`. Anything else with that name is left alone
/// ([`OpenError::NotALock`]). Dropping the listener removes the path and the lock file;
/// [`into_fd`](Self::into_fd) keeps them. The path has the permission bits of [`Options::mode`], `0o600` by
/// default, and never more than these.
pub struct Listener<Tx, Rx> {
    /// Dropped before the descriptor is closed.
    path_guard: Option<PathGuard>,
    acceptor: Acceptor,
    messages: PhantomData<fn(Tx) -> Rx>,
}

impl<Tx: Message, Rx: Message> Listener<Tx, Rx> {
    /// Binds to `address`, a `unix:` or `vsock:` address, and listens.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: `InUse`, `NotProbed`, `NotHere`, `NotASocket`, `NotALock`, `WrongFamily`,
    /// `Unsupported`, `Exhausted`, `Io`.
    pub fn bind(address: &Address) -> Result<Self, OpenError> {
        Self::bind_with(address, &Options::new())
    }

    /// Binds and listens, with options: `mode`, `backlog`, `policy` and `budget`; for the accepted
    /// connections, `limits`, `recv_buffer`, `send_buffer` and `eager`.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind), and `WrongFamily` for a policy over vsock.
    pub fn bind_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        let (fd, path_guard) = transport::listen(address, options, Rx::DESCRIPTORS)?;
        Ok(Self::new(fd, path_guard, options))
    }

    /// Takes over a listening descriptor, such as one from [`activated`](crate::activated()). Makes it
    /// non-blocking for every holder.
    ///
    /// # Errors
    ///
    /// [`OpenError::WrongDescriptor`], which says what the descriptor is; [`OpenError::Exhausted`];
    /// [`OpenError::Io`].
    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::adopt_with(fd, &Options::new())
    }

    /// Takes over a listening descriptor, with options: `policy` and `budget`; for the accepted connections,
    /// `limits`, `recv_buffer`, `send_buffer` and `eager`.
    ///
    /// # Errors
    ///
    /// Those of [`adopt`](Self::adopt), and `WrongFamily` for a policy over vsock.
    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        let fd = transport::adopt_listener(fd, options, Rx::DESCRIPTORS)?;
        Ok(Self::new(fd, None, options))
    }

    fn new(fd: ListenerFd, path_guard: Option<PathGuard>, options: &Options) -> Self {
        Self { path_guard, acceptor: Acceptor::new(fd, options), messages: PhantomData }
    }

    /// Accepts a connection, and waits for one as long as necessary.
    ///
    /// # Errors
    ///
    /// [`AcceptError::Exhausted`] while the process has no descriptor for the connection. The client stays
    /// in the backlog: wait before accepting again ([`Backoff`](crate::Backoff)).
    /// [`AcceptError::Full`] while as many connections are open as the [`Budget`](crate::Budget) allows. This error
    /// comes at once, even if no client is waiting.
    /// [`AcceptError::Shutdown`] after [`shutdown`](Self::shutdown). [`AcceptError::Io`].
    pub fn accept(&self) -> Result<Connection<Tx, Rx>, AcceptError> {
        self.accept_waiting(Wait::Block)
    }

    /// Accepts a connection if a client is waiting.
    ///
    /// # Errors
    ///
    /// Those of [`accept`](Self::accept), and [`AcceptError::WouldBlock`].
    pub fn try_accept(&self) -> Result<Connection<Tx, Rx>, AcceptError> {
        self.accept_waiting(Wait::Try)
    }

    /// Accepts a connection, and waits for one until `deadline`.
    ///
    /// # Errors
    ///
    /// Those of [`accept`](Self::accept), and [`AcceptError::TimedOut`].
    pub fn accept_deadline(&self, deadline: Instant) -> Result<Connection<Tx, Rx>, AcceptError> {
        self.accept_waiting(Wait::Until(deadline))
    }

    /// Accepts a connection if a client is waiting, or returns `None` if the policy rejects it.
    #[cfg(feature = "tokio")]
    pub(crate) fn try_accept_next(&self) -> Result<Option<Connection<Tx, Rx>>, AcceptError> {
        let fd = self.acceptor.accept_next(Wait::Try)?;
        Ok(fd.map(|fd| Connection::new(fd, &self.acceptor.options)))
    }

    fn accept_waiting(&self, wait: Wait) -> Result<Connection<Tx, Rx>, AcceptError> {
        let fd = self.acceptor.accept(wait)?;
        Ok(Connection::new(fd, &self.acceptor.options))
    }
}

impl<Tx, Rx> Listener<Tx, Rx> {
    /// Returns the address that the listener is bound to.
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<Address> {
        sys::local_name(self.acceptor.fd.as_fd()).map(Address::from)
    }

    /// Returns how many clients the [`Policy`](crate::Policy) has rejected.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.acceptor.rejected.load(Ordering::Relaxed)
    }

    /// Stops accepting in every thread. Clients already in the backlog are still accepted, unless the
    /// [`Budget`](crate::Budget) is full. After them, every accept fails with [`AcceptError::Shutdown`], including
    /// those that are blocked.
    ///
    /// Over UNIX, this affects every process that holds the socket. It wakes pollers, and the kernel refuses
    /// new clients. The path stays until the listener is dropped. Over vsock, the kernel cannot shut down a
    /// listener (shutdown(2) fails with ENOTCONN). There, this affects only this `Listener`, and wakes no
    /// poller. Clients can still connect until the listener is dropped, but are not accepted.
    ///
    /// ```
    /// use std::thread;
    ///
    /// use datagrammar::{AcceptError, Listener, Message};
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    ///
    /// let address = "unix:@datagrammar-doc-shutdown".parse()?;
    /// let listener = Listener::<Ping, Ping>::bind(&address)?;
    /// thread::scope(|scope| {
    ///     let server = scope.spawn(|| loop {
    ///         match listener.accept() {
    ///             Ok(connection) => drop(connection), // serve it
    ///             Err(error) if error.is_fatal() => break error,
    ///             Err(_) => {}
    ///         }
    ///     });
    ///     listener.shutdown()?;
    ///     assert!(matches!(server.join().unwrap(), AcceptError::Shutdown));
    ///     Ok::<(), Box<dyn std::error::Error>>(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of shutdown(2), or over vsock those of write(2).
    pub fn shutdown(&self) -> io::Result<()> {
        self.acceptor.fd.shutdown()
    }

    /// Returns a descriptor that becomes readable on shutdown, if the listening descriptor does not.
    pub(crate) fn stop_fd(&self) -> Option<BorrowedFd<'_>> {
        self.acceptor.fd.stop_fd()
    }

    /// Returns the listening descriptor, for another process or for [`adopt`](Self::adopt). Keeps the path
    /// and its lock file. The descriptor is non-blocking and close-on-exec.
    ///
    /// Releases the lock. The path stays safe, because servers do not replace a live socket. When the last holder
    /// closes the socket, the path becomes free. The two files then remain until the next server binds to the
    /// path.
    ///
    /// ```
    /// use datagrammar::{Address, Connection, Listener, Message, OpenError};
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    /// type Server = Listener<Ping, Ping>;
    ///
    /// # let directory = std::env::temp_dir().join(format!("datagrammar-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let address = Address::from_pathname(directory.join("socket"))?;
    /// let fd = Server::bind(&address)?.into_fd();
    /// let _client = Connection::<Ping, Ping>::connect(&address)?;
    /// assert!(matches!(Server::bind(&address), Err(OpenError::InUse { .. })));
    ///
    /// let listener = Server::adopt(fd)?;
    /// listener.accept()?;
    /// drop(listener);
    /// Server::bind(&address)?;
    /// # std::fs::remove_dir(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "the listener is closed with the descriptor"]
    pub fn into_fd(self) -> OwnedFd {
        if let Some(path_guard) = self.path_guard {
            path_guard.keep();
        }
        self.acceptor.fd.into_fd()
    }
}

/// The listening descriptor, for a poller. It is non-blocking.
impl<Tx, Rx> AsFd for Listener<Tx, Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.acceptor.fd.as_fd()
    }
}

/// The listening descriptor, for a poller. It is non-blocking.
impl<Tx, Rx> AsRawFd for Listener<Tx, Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.acceptor.fd.as_fd().as_raw_fd()
    }
}

impl<Tx, Rx> fmt::Debug for Listener<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("fd", &self.acceptor.fd.as_fd()).finish_non_exhaustive()
    }
}
