//! Stops a server.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::session::Session;
use crate::backoff::Backoff;
use crate::calls::wake::wake_all;

/// The longest pause between checks of the calls that still run.
const MAX_PAUSE: Duration = Duration::from_millis(20);

/// How long a stopping server waits for its clients to read their last answers.
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);

/// Stops a [`Server`](super::Server): see [`Server::stopper`](super::Server::stopper).
#[derive(Clone, Default)]
pub struct Stopper(Arc<Mutex<Sessions>>);

#[derive(Default)]
struct Sessions {
    is_stopping: bool,
    sessions: Vec<Weak<Session>>,
    /// The tasks that accept connections.
    accepting: Vec<Waker>,
}

impl Stopper {
    /// Stops the server: it accepts no more connections, refuses new calls with
    /// [`CallError::Stopping`](crate::calls::CallError::Stopping), and finishes those that run. Those that still
    /// run at `deadline` are cancelled, and their callers are told. Then all connections are closed.
    ///
    /// Blocks until all connections are closed. If clients do not read, this is at most a second after the deadline.
    /// Returns how many calls were cancelled. If this method is called again meanwhile, the earlier deadline applies.
    /// If a handler calls it, it also waits for the handler's own call, which is then cancelled: call it on another
    /// thread.
    pub fn stop(&self, deadline: Instant) -> usize {
        let sessions = self.begin();
        let mut backoff = Backoff::up_to(MAX_PAUSE);
        while sessions.iter().any(|session| !session.is_idle())
            && backoff.wait_until(Some(deadline))
        {}
        close(&sessions, Instant::now() + FAREWELL)
    }

    /// Stops accepting connections and calls. Returns the remaining sessions.
    pub(crate) fn begin(&self) -> Vec<Arc<Session>> {
        let mut all = self.lock();
        all.is_stopping = true;
        let sessions: Vec<_> = all.sessions.iter().filter_map(Weak::upgrade).collect();
        let accepting = mem::take(&mut all.accepting);
        drop(all);
        sessions.iter().for_each(|session| session.stop());
        wake_all(accepting);
        sessions
    }

    pub(crate) fn add(&self, session: &Arc<Session>) {
        let mut all = self.lock();
        if all.is_stopping {
            session.stop();
            session.close(Instant::now());
            return;
        }
        all.sessions.retain(|session| session.strong_count() > 0);
        all.sessions.push(Arc::downgrade(session));
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    /// Waits until the server stops.
    pub(crate) fn poll_stopping(&self, waker: &Waker) -> Poll<()> {
        let mut all = self.lock();
        if all.is_stopping {
            return Poll::Ready(());
        }
        if !all.accepting.iter().any(|known| known.will_wake(waker)) {
            all.accepting.push(waker.clone());
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cancels the calls that still run. Closes the connections when everything is sent, or at `farewell`. Returns how
/// many calls were cancelled.
pub(crate) fn close(sessions: &[Arc<Session>], farewell: Instant) -> usize {
    let cancelled = sessions.iter().map(|session| session.cancel_the_rest()).sum();
    // All connections have the same `farewell`, so the waits for clients that do not read do not add up.
    sessions.iter().for_each(|session| session.close(farewell));
    cancelled
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper").finish_non_exhaustive()
    }
}
