//! The blocking server: a bounded number of threads for each connection.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::crew::Crew;
use super::service::Service;
use super::session::Session;
use super::stopper::Stopper;
use crate::backoff::Backoff;
use crate::calls::outlet::Outlet;
use crate::calls::protocol::Answers;
use crate::connection::Connection;
use crate::error::{AcceptError, RecvError};
use crate::listener::Listener;

/// Serves calls with blocking handlers.
///
/// Each connection has at most as many threads as [`threads`](Self::threads) says, and calls that are answered with
/// items have threads of their own. While all threads work, one more thread receives every 10 ms. So handlers learn
/// that their callers have cancelled or disconnected, and items get credit. This thread also reads further requests
/// ahead, as many as there are threads. After that, the server reads no requests until a thread is free.
///
/// If the system refuses to start another thread, the existing threads continue. A call with items then fails with
/// [`CallError::Busy`](crate::calls::CallError::Busy), and a new connection is closed.
#[derive(Debug)]
pub struct Server<S> {
    service: S,
    threads: usize,
    streams: usize,
    stopper: Stopper,
}

impl<S: Service> Server<S> {
    /// Creates a server with 8 threads for the calls of a connection, and up to 64 for those with items.
    pub fn new(service: S) -> Self {
        Self { service, threads: 8, streams: 64, stopper: Stopper::default() }
    }

    /// Sets how many threads handle the calls of one connection, at least 1.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// Sets how many calls of one connection may be answered with items at the same time. A further one gets
    /// [`CallError::Busy`](crate::calls::CallError::Busy).
    #[must_use]
    pub fn streams(self, streams: usize) -> Self {
        Self { streams, ..self }
    }

    /// Returns a handle that stops the server.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves a connection until it ends, on this thread and others.
    ///
    /// # Errors
    ///
    /// A fatal [`RecvError`].
    pub fn serve(
        &self,
        connection: Connection<Answers<S::Protocol>, S::Protocol>,
    ) -> Result<(), RecvError> {
        let peer = connection.peer().ok();
        let (sender, mut receiver) = connection.split();
        receiver.accept_calls();
        let session = Session::new(receiver.fd().clone(), Outlet::new(sender), peer);
        let session = Arc::new(session);
        self.stopper.add(&session);
        let crew = Crew::new(&self.service, self.threads, self.streams, session, receiver);
        thread::scope(|scope| crew.work(scope))
    }

    /// Accepts connections and serves each on a thread of its own, until the listener or the server is stopped. Returns
    /// when all connections have ended.
    ///
    /// # Errors
    ///
    /// [`AcceptError::Io`].
    pub fn run(
        &self,
        listener: &Listener<Answers<S::Protocol>, S::Protocol>,
    ) -> Result<(), AcceptError> {
        thread::scope(|scope| {
            let mut backoff = Backoff::up_to(MAX_PAUSE);
            loop {
                // With a deadline, to check from time to time whether the server is stopped.
                match listener.accept_deadline(Instant::now() + RECHECK) {
                    Ok(connection) => {
                        let serve = || self.serve(connection);
                        match thread::Builder::new().spawn_scoped(scope, serve) {
                            Ok(_) => backoff.reset(),
                            // No thread can be started now, so the connection is closed.
                            Err(_) => backoff.wait(),
                        }
                    }
                    _ if self.stopper.is_stopping() => return Ok(()),
                    Err(AcceptError::Shutdown) => return Ok(()),
                    Err(AcceptError::TimedOut) => {}
                    Err(error) if error.is_fatal() => return Err(error),
                    Err(_) => backoff.wait(),
                }
            }
        })
    }
}

/// The longest pause while no connection can be accepted.
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// How often a listening server checks whether it is stopped.
const RECHECK: Duration = Duration::from_millis(50);
