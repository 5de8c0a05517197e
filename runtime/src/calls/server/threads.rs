//! The blocking server: a bounded number of threads for each connection.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::crew::Crew;
use super::on_error::OnError;
use super::semaphore::Semaphore;
use super::service::Service;
use super::session::Session;
use super::stopper::Stopper;
use crate::backoff::Backoff;
use crate::calls::outlet::Outlet;
use crate::calls::protocol::Answers;
use crate::connection::Connection;
use crate::error::{AcceptError, Error, RecvError};
use crate::listener::Listener;
use crate::peer::Peer;

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
    connections: usize,
    stopper: Stopper,
    on_error: OnError,
}

impl<S: Service> Server<S> {
    /// Creates a server with 8 threads for the calls of a connection, and up to 64 for those with items. It serves up to
    /// 1,024 connections at the same time.
    pub fn new(service: S) -> Self {
        let (stopper, on_error) = (Stopper::default(), OnError::default());
        Self { service, threads: 8, streams: 64, connections: 1024, stopper, on_error }
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

    /// Sets how many connections [`run`](Self::run) serves at the same time, at least 1. Further clients wait in the
    /// backlog of the listener: see [`Options::backlog`](crate::Options::backlog). So the server has at most as many
    /// threads as connections, times those that one connection may have.
    #[must_use]
    pub fn connections(self, connections: usize) -> Self {
        Self { connections: connections.max(1), ..self }
    }

    /// Calls `tell` with each error that no handler gets, for logs:
    ///
    /// - a request that cannot be received or decoded, or whose call is unknown;
    /// - an answer that a handler has returned, and that cannot be encoded;
    /// - in [`run`](Self::run), why a connection has failed, and why no client can be accepted: once, until a client is
    ///   accepted again.
    ///
    /// The peer is the client, if it is known. Hostile clients can cause any number of errors. `tell` runs on the
    /// threads that serve, and should be fast. If it panics, the server continues.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::thread;
    ///
    /// use datagrammar::calls::{CallError, Context, Server};
    /// use datagrammar::error::Chain;
    /// use datagrammar::{Connection, Message, Protocol};
    ///
    /// #[derive(Message, Protocol)]
    /// enum Old {
    ///     #[message(tag = 1, reply = u8)]
    ///     Get,
    /// }
    ///
    /// /// The same protocol, after a mistake.
    /// #[derive(Message, Protocol)]
    /// enum New {
    ///     #[message(tag = 1, reply = u8)]
    ///     Get { name: String },
    /// }
    ///
    /// struct Seven;
    ///
    /// impl OldHandler for Seven {
    ///     fn get(&self, _cx: &Context) -> u8 {
    ///         7
    ///     }
    /// }
    ///
    /// let (errors, told) = mpsc::channel();
    /// let server = Server::new(OldService(Seven)).on_error(move |peer, error| {
    ///     _ = errors.send(format!("uid {:?}: {}", peer.map(|peer| peer.uid), Chain(error)));
    /// });
    ///
    /// let (ours, theirs) = Connection::<Old, _>::pair()?;
    /// thread::spawn(move || server.serve(theirs));
    /// let client = NewClient::new(Connection::adopt(ours.into_fd()?.0)?);
    /// assert!(matches!(client.get("seven".into()), Err(CallError::Malformed)));
    /// assert!(told.recv()?.contains("the message ends at byte 1 of a frame of 7"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_error(self, tell: impl Fn(Option<&Peer>, &Error) + Send + Sync + 'static) -> Self {
        Self { on_error: OnError::new(tell), ..self }
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
        self.serve_session(connection).1
    }

    /// Serves a connection, and also returns its session.
    fn serve_session(
        &self,
        connection: Connection<Answers<S::Protocol>, S::Protocol>,
    ) -> (Arc<Session>, Result<(), RecvError>) {
        let peer = connection.peer().ok();
        let (sender, mut receiver) = connection.split();
        receiver.accept_calls();
        let session = Session::new(receiver.fd().clone(), Outlet::new(sender), peer);
        let session = Arc::new(session.telling(self.on_error.clone()));
        self.stopper.add(&session);
        let shared = Arc::clone(&session);
        let crew = Crew::new(&self.service, self.threads, self.streams, shared, receiver);
        let ended = thread::scope(|scope| crew.work(scope));
        (session, ended)
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
        let semaphore = Semaphore::default();
        thread::scope(|scope| {
            let (mut backoff, mut is_failing) = (Backoff::up_to(MAX_PAUSE), false);
            loop {
                let Some(permit) = semaphore.acquire(self.connections, RECHECK) else {
                    if self.stopper.is_stopping() {
                        return Ok(());
                    }
                    continue;
                };
                // With a deadline, to check from time to time whether the server is stopped.
                match listener.accept_deadline(Instant::now() + RECHECK) {
                    Ok(connection) => {
                        let serve = || {
                            let _permit = permit;
                            let (session, ended) = self.serve_session(connection);
                            ended.unwrap_or_else(|error| session.tell(error));
                        };
                        match thread::Builder::new().spawn_scoped(scope, serve) {
                            Ok(_) => {
                                is_failing = false;
                                backoff.reset();
                            }
                            // No thread can be started now, so the connection is closed.
                            Err(error) => {
                                self.on_error.tell_first(&mut is_failing, error);
                                backoff.wait();
                            }
                        }
                    }
                    _ if self.stopper.is_stopping() => return Ok(()),
                    Err(AcceptError::Shutdown) => return Ok(()),
                    Err(AcceptError::TimedOut) => {}
                    Err(error) if error.is_fatal() => return Err(error),
                    Err(error) => {
                        self.on_error.tell_first(&mut is_failing, error);
                        backoff.wait();
                    }
                }
            }
        })
    }
}

/// The longest pause while no connection can be accepted.
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// How often a listening server checks whether it is stopped.
const RECHECK: Duration = Duration::from_millis(50);
