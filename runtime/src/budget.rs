//! Budgets: bounds on what peers can make several endpoints hold together.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{AcceptError, RecvError};
use crate::sys::{InUse, Permit};

/// A bound on what peers can make a server hold, over all the endpoints that share the budget.
///
/// Clones are the same budget.
///
/// [`Limits`](crate::Limits) apply to one frame of one connection. A server with many clients also needs a
/// bound over all of them: if 1,000 clients each send half of a frame of 16 MiB, the server holds 8 GiB. Frames
/// that are not received yet need no budget, because they stay in the kernel, and count against their
/// sender.
///
/// ```
/// use datagrammar::{AcceptError, Budget, Connection, Listener, Message, Options};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// let budget = Budget::new().frame_bytes(64 << 20).connections(1);
/// let address = "unix:@datagrammar-doc-budget".parse()?;
/// let listener =
///     Listener::<Ping, Ping>::bind_with(&address, &Options::new().budget(&budget))?;
/// let _first = Connection::<Ping, Ping>::connect(&address)?;
/// let _second = Connection::<Ping, Ping>::connect(&address)?;
///
/// let served = listener.accept()?;
/// assert_eq!(budget.connections_open(), 1);
/// assert!(matches!(listener.accept(), Err(AcceptError::Full { max: 1 })));
///
/// // The second client has waited in the backlog.
/// drop(served);
/// let _served = listener.accept()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bytes of incomplete frames
///
/// A large frame travels in pieces, and the first one announces its length. From then on, that length counts
/// against [`frame_bytes`](Self::frame_bytes), until the frame is complete or dropped after an error, or until
/// the receiver is dropped. A complete frame does not count.
///
/// A new frame is admitted only if its length is at most half of the free bytes, so that an equal number
/// stays free. Otherwise the receive fails with [`RecvError::OverBudget`], the frame's pieces are
/// dropped, and the connection stays usable. So the longest frames are refused first, shorter ones are
/// still admitted when the budget is nearly full, and the total never exceeds the budget. (Network switches share
/// buffers by the same rule, called *dynamic threshold*, with alpha = 1.)
///
/// - Choose at least twice the longest frame. A frame longer than half of the budget is never admitted.
/// - A connection has at most one incomplete frame. A datagram socket has none, because its large frames
///   arrive whole, in sealed memory.
/// - A peer that stops in the middle of a frame keeps its share until its connection is dropped. Bound
///   that time: when [`recv_deadline`](crate::Receiver::recv_deadline) fails with `TimedOut`, drop the connection
///   unless [`pending`](crate::Receiver::pending) is 0, as it is for a peer that is only idle.
///
/// ```
/// use datagrammar::{Budget, Connection, Message, Options, RecvError, Wait};
///
/// #[derive(Message)]
/// enum Picture<'a> {
///     #[message(tag = 1)]
///     Pixels(#[message(rest)] &'a [u8]),
/// }
///
/// let budget = Budget::new().frame_bytes(4_000_000);
/// let options = Options::new().budget(&budget);
/// let (mut ours, mut theirs) =
///     Connection::<Picture<'static>, Picture<'static>>::pair_with(&options)?;
/// ours.try_send(&Picture::Pixels(&[7; 1_000_000]))?;
/// assert!(matches!(theirs.try_recv(), Err(RecvError::WouldBlock)));
/// assert_eq!(budget.bytes_held(), 1_000_001);
/// assert!((1..1_000_000).contains(&theirs.rx.pending()));
///
/// let (mut other, mut others) =
///     Connection::<Picture<'static>, Picture<'static>>::pair_with(&options)?;
/// other.try_send(&Picture::Pixels(&[7; 1_600_000]))?;
/// let refused = others.try_recv();
/// assert!(matches!(refused, Err(RecvError::OverBudget { len: 1_600_001, held: 1_000_001, .. })));
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| ours.tx.flush(Wait::Block));
///     assert_eq!(theirs.recv()?.expect("a frame").len(), 1_000_001);
///     assert_eq!(budget.bytes_held(), 0);
///     Ok::<(), RecvError>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Connections
///
/// A [`Listener`](crate::Listener) with a budget accepts a connection only if fewer than
/// [`connections`](Self::connections) are open. Otherwise accepting fails with [`AcceptError::Full`], and
/// the client stays in the backlog. A connection counts until this process drops both of its
/// halves, or calls [`Connection::into_fd`](crate::Connection::into_fd). A client that the
/// [`Policy`](crate::Policy) rejects does not count.
///
/// Only connections from a listener count. Connections that this process opens by itself (`connect`, `pair`,
/// `adopt`) share only the bytes.
///
/// # Processes
///
/// A budget belongs to one process. After a fork, each process has its own copy, which counts what it inherited.
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

struct Shared {
    max_bytes: AtomicUsize,
    bytes: InUse,
    max_connections: AtomicUsize,
    connections: InUse,
}

impl Budget {
    /// Returns an unused budget of 256 MiB and 1,000 connections. The bytes are 16 times the default of
    /// [`Limits::frame_len`](crate::Limits::frame_len). The connections fit in the 1,024 descriptors that a
    /// process may usually have open.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            max_bytes: AtomicUsize::new(256 * 1024 * 1024),
            bytes: InUse::default(),
            max_connections: AtomicUsize::new(1000),
            connections: InUse::default(),
        }))
    }

    /// Sets how many bytes incomplete large frames may hold. Choose at least twice the longest frame. The change
    /// applies to all clones. Frames that are already admitted stay admitted.
    #[must_use]
    pub fn frame_bytes(self, bytes: usize) -> Self {
        self.0.max_bytes.store(bytes, Ordering::Relaxed);
        self
    }

    /// Sets how many accepted connections may be open at once. The change applies to all clones. Connections
    /// that are already accepted stay open.
    #[must_use]
    pub fn connections(self, connections: usize) -> Self {
        self.0.max_connections.store(connections, Ordering::Relaxed);
        self
    }

    /// Returns how many bytes incomplete large frames hold: the sum of their announced lengths.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        self.0.bytes.get()
    }

    /// Returns how many accepted connections are open. An accept in progress may count as one.
    #[must_use]
    pub fn connections_open(&self) -> usize {
        self.0.connections.get()
    }

    /// Reserves the length of a frame whose first piece has arrived.
    pub(crate) fn reserve(&self, len: usize) -> Result<Permit, RecvError> {
        let budget = self.0.max_bytes.load(Ordering::Relaxed);
        let reserved = self.0.bytes.take(len, |held| len <= budget.saturating_sub(held) / 2);
        reserved.map_err(|held| RecvError::OverBudget { len, held, budget })
    }

    /// Counts a connection before it is accepted.
    pub(crate) fn admit(&self) -> Result<Permit, AcceptError> {
        let max = self.0.max_connections.load(Ordering::Relaxed);
        self.0.connections.take(1, |open| open < max).map_err(|_| AcceptError::Full { max })
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { max_bytes, max_connections, .. } = &*self.0;
        f.debug_struct("Budget")
            .field("bytes_held", &self.bytes_held())
            .field("frame_bytes", max_bytes)
            .field("connections_open", &self.connections_open())
            .field("connections", max_connections)
            .finish()
    }
}
