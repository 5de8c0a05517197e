//! How long a call may wait.

use std::time::Instant;

/// How long a call may wait for what it needs: a frame to receive, or room to send.
///
/// The main methods have three forms (`recv`, `try_recv`, `recv_deadline`). Other methods take a `Wait`.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use datagrammar::{Connection, Message, RecvError, Wait};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// let (mut ours, mut theirs) = Connection::<Ping, Ping>::pair()?;
/// assert!(matches!(ours.rx.peek_len(Wait::Try), Err(RecvError::WouldBlock)));
/// let soon = Instant::now() + Duration::from_millis(1);
/// assert!(matches!(ours.rx.peek_len(Wait::Until(soon)), Err(RecvError::TimedOut)));
/// theirs.send(&Ping::Ping)?;
/// assert_eq!(ours.rx.peek_len(Wait::Block)?, Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// As long as necessary.
    Block,
    /// Not at all: the call fails with `WouldBlock`.
    Try,
    /// Until this instant: the call then fails with `TimedOut`. It tries at least once: after the instant, it still
    /// returns a queued frame.
    Until(Instant),
}
