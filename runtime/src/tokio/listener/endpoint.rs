//! A listener: opens it, and accepts connections.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::time::{sleep, timeout_at};

use crate::address::Address;
use crate::backoff::Backoff;
use crate::connection;
use crate::error::{AcceptError, OpenError};
use crate::listener;
use crate::message::Message;
use crate::options::Options;
use crate::tokio::connection::Connection;

/// The longest pause while the process has no descriptor for a client.
const MAX_PAUSE: Duration = Duration::from_millis(50);

/// The most clients that are rejected at a deadline, as many as a task may handle in one turn.
const MAX_REJECTED: u32 = 128;

/// Accepts connections that send messages of type `Tx` and receive messages of type `Rx`.
///
/// See [`Listener`](crate::Listener).
///
/// Any number of tasks may accept at the same time.
///
/// ```
/// use datagrammar::Message;
/// use datagrammar::tokio::{Connection, Listener};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let address = "unix:@datagrammar-doc-tokio-listener".parse()?;
/// let listener = Listener::<Ping, Ping>::bind(&address)?;
/// let mut client = Connection::<Ping, Ping>::connect(&address).await?;
/// client.send(&Ping::Ping).await?;
/// assert!(listener.accept().await?.recv().await?.is_some());
/// # Ok(())
/// # }
/// ```
pub struct Listener<Tx, Rx> {
    pub(super) inner: listener::Listener<Tx, Rx>,
    /// A duplicate of the listening descriptor.
    pub(super) clients: AsyncFd<OwnedFd>,
    /// A duplicate of the descriptor that becomes readable on shutdown, if the listening descriptor does not.
    pub(super) stop: Option<AsyncFd<OwnedFd>>,
}

impl<Tx: Message, Rx: Message> Listener<Tx, Rx> {
    /// Binds to `address`, a `unix:` or `vsock:` address, and listens.
    ///
    /// # Errors
    ///
    /// Those of [`Listener::bind`](crate::Listener::bind).
    ///
    /// # Panics
    ///
    /// Like tokio's own sockets, outside a tokio runtime, or if its I/O or time driver is not enabled.
    #[track_caller]
    pub fn bind(address: &Address) -> Result<Self, OpenError> {
        Self::bind_with(address, &Options::new())
    }

    /// Binds and listens, with options. See [`Listener::bind_with`](crate::Listener::bind_with).
    ///
    /// # Errors
    ///
    /// Those of [`Listener::bind_with`](crate::Listener::bind_with).
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    #[track_caller]
    pub fn bind_with(address: &Address, options: &Options) -> Result<Self, OpenError> {
        Self::register(listener::Listener::bind_with(address, options)?)
    }

    /// Takes over a listening descriptor. See [`Listener::adopt`](crate::Listener::adopt).
    ///
    /// # Errors
    ///
    /// Those of [`Listener::adopt`](crate::Listener::adopt).
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    #[track_caller]
    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::adopt_with(fd, &Options::new())
    }

    /// Takes over a listening descriptor, with options. See
    /// [`Listener::adopt_with`](crate::Listener::adopt_with).
    ///
    /// # Errors
    ///
    /// Those of [`Listener::adopt_with`](crate::Listener::adopt_with).
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    #[track_caller]
    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        Self::register(listener::Listener::adopt_with(fd, options)?)
    }

    /// Accepts a connection, and waits for one. Cancel-safe: dropping the future loses no client, unless the kernel
    /// refuses to register the client's connection with the reactor (epoll(7), *max_user_watches*).
    ///
    /// While the process has no descriptor for a client, or the [`Budget`](crate::Budget) allows no more connections,
    /// the client stays in the backlog. Instead of failing with [`AcceptError::Exhausted`] or [`AcceptError::Full`],
    /// this method then tries again after growing pauses of up to 50 ms.
    ///
    /// # Errors
    ///
    /// [`AcceptError::Shutdown`] after [`shutdown`](Self::shutdown). [`AcceptError::Io`].
    pub async fn accept(&self) -> Result<Connection<Tx, Rx>, AcceptError> {
        self.accept_and_report(|_error| {}).await
    }

    /// Accepts a connection like [`accept`](Self::accept), and passes each error after which it tries again to
    /// `report`.
    pub(crate) async fn accept_and_report(
        &self,
        mut report: impl FnMut(AcceptError) + Send,
    ) -> Result<Connection<Tx, Rx>, AcceptError> {
        let mut backoff = Backoff::up_to(MAX_PAUSE);
        let mut accepted = loop {
            match self.next().await {
                Ok(Some(accepted)) => break accepted,
                // Rejected. Each client counts against the task's budget.
                Ok(None) => {}
                Err(error @ (AcceptError::Exhausted(_) | AcceptError::Full { .. })) => {
                    report(error);
                    sleep(backoff.next_pause()).await;
                }
                Err(error) => return Err(error),
            }
        };
        loop {
            match Connection::from_blocking(accepted) {
                Ok(connection) => return Ok(connection),
                // The reactor is out of memory, or watches too many descriptors (epoll(7), max_user_watches).
                Err((connection, error)) => {
                    accepted = connection;
                    report(not_registered(error));
                }
            }
            sleep(backoff.next_pause()).await;
        }
    }

    /// Accepts a connection if a client is waiting. See [`Listener::try_accept`](crate::Listener::try_accept).
    ///
    /// # Errors
    ///
    /// Those of [`Listener::try_accept`](crate::Listener::try_accept).
    pub fn try_accept(&self) -> Result<Connection<Tx, Rx>, AcceptError> {
        registered(self.inner.try_accept()?)
    }

    /// Accepts a connection, and waits for one until `deadline`.
    ///
    /// # Errors
    ///
    /// Those of [`accept`](Self::accept), and [`AcceptError::TimedOut`]. [`AcceptError::Exhausted`] if a client
    /// is waiting at the deadline, and the process has no descriptor for it. [`AcceptError::Full`] if the
    /// [`Budget`](crate::Budget) allows no more connections at the deadline.
    pub async fn accept_deadline(
        &self,
        deadline: Instant,
    ) -> Result<Connection<Tx, Rx>, AcceptError> {
        let accepted = timeout_at(deadline.into(), self.accept()).await;
        // The reactor may not have reported a waiting client yet.
        accepted.unwrap_or_else(|_| self.accept_at_deadline())
    }

    /// Accepts a connection if a client is waiting. Gives up after many rejections.
    fn accept_at_deadline(&self) -> Result<Connection<Tx, Rx>, AcceptError> {
        for _ in 0..MAX_REJECTED {
            match self.inner.try_accept_next() {
                Ok(Some(accepted)) => return registered(accepted),
                Ok(None) => {}
                Err(AcceptError::WouldBlock) => break,
                Err(error) => return Err(error),
            }
        }
        Err(AcceptError::TimedOut)
    }

    /// Accepts the next connection, which is not registered yet. Returns `None` if the policy rejects the client.
    async fn next(&self) -> Result<Option<connection::Connection<Tx, Rx>>, AcceptError> {
        let failed = |source| AcceptError::Io { action: "waiting for a client", source };
        let mut accepted = pin!(self.clients.async_io(Interest::READABLE, |_| {
            match self.inner.try_accept_next() {
                Err(AcceptError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
                result => Ok(result),
            }
        }));
        let Some(stop) = &self.stop else { return accepted.await.map_err(failed)? };
        let mut stopped = pin!(stop.readable());
        poll_fn(|cx| {
            if let Poll::Ready(accepted) = accepted.as_mut().poll(cx) {
                return Poll::Ready(accepted.map_err(failed)?);
            }
            // Then, accepting never blocks.
            stopped.as_mut().poll(cx).map(|stopped| match stopped {
                Ok(_still_readable) => self.inner.try_accept_next(),
                Err(source) => Err(failed(source)),
            })
        })
        .await
    }
}

fn registered<Tx: Message, Rx: Message>(
    accepted: connection::Connection<Tx, Rx>,
) -> Result<Connection<Tx, Rx>, AcceptError> {
    Connection::from_blocking(accepted).map_err(|(_, error)| not_registered(error))
}

fn not_registered(source: io::Error) -> AcceptError {
    AcceptError::Io { action: "registering a connection with the tokio runtime", source }
}

impl<Tx, Rx> Listener<Tx, Rx> {
    /// Returns the address that the listener is bound to.
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<Address> {
        self.inner.local_addr()
    }

    /// Returns how many clients the [`Policy`](crate::Policy) has rejected.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.inner.rejected()
    }

    /// Stops accepting in every task. Clients already in the backlog are still accepted. See
    /// [`Listener::shutdown`](crate::Listener::shutdown).
    ///
    /// # Errors
    ///
    /// Those of [`Listener::shutdown`](crate::Listener::shutdown).
    pub fn shutdown(&self) -> io::Result<()> {
        self.inner.shutdown()
    }
}

impl<Tx, Rx> AsFd for Listener<Tx, Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Tx, Rx> AsRawFd for Listener<Tx, Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Tx, Rx> fmt::Debug for Listener<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.inner).finish()
    }
}
