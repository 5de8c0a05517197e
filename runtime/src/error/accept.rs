//! Why a connection was not accepted.

use std::io;

use thiserror::Error;

/// Why a [`Listener`](crate::Listener) did not accept a connection.
///
/// ```
/// use datagrammar::{AcceptError, Listener, Message};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// let address = "unix:@datagrammar-doc-accept-error".parse()?;
/// let listener = Listener::<Ping, Ping>::bind(&address)?;
/// let error = listener.try_accept().unwrap_err();
/// assert!(matches!(error, AcceptError::WouldBlock));
/// assert!(!error.is_fatal());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// No client is in the backlog, and the call does not wait.
    #[error("no client is waiting to be accepted")]
    WouldBlock,

    /// No client connected before the deadline.
    #[error("no client connected before the deadline")]
    TimedOut,

    /// The process or the system is out of descriptors or memory. The client stays in the backlog, and
    /// the listener stays readable. Wait before the next accept, for example with
    /// [`Backoff`](crate::Backoff).
    #[error(
        "out of descriptors or memory: wait before accepting again, the client stays in the backlog"
    )]
    Exhausted(#[source] io::Error),

    /// As many accepted connections are open as the [`Budget`](crate::Budget) allows. The client, if there is
    /// one, stays in the backlog, and the listener stays readable. Wait before the next accept, or drop a
    /// connection.
    #[error(
        "{max} accepted connections are open, as many as the budget allows: drop a connection before accepting again, \
         or raise Budget::connections; clients stay in the backlog"
    )]
    Full {
        /// How many connections may be open.
        max: usize,
    },

    /// The listener was shut down, and its backlog is empty. Every later accept fails with this error.
    #[error("the listener was shut down")]
    Shutdown,

    /// The operating system refused.
    #[error("{action} failed")]
    Io {
        /// The attempted action.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl AcceptError {
    /// Returns whether the listener has become useless and an accept loop should end: for
    /// [`Shutdown`](Self::Shutdown) and [`Io`](Self::Io). After other errors, accept again.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Shutdown | Self::Io { .. } => true,
            Self::WouldBlock | Self::TimedOut | Self::Exhausted(_) | Self::Full { .. } => false,
        }
    }
}
