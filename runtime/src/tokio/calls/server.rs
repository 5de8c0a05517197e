//! The server that derived services run on.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ::tokio::time::sleep;

use super::connections::Connections;
use super::desk::{Bounds, Desk};
use super::gate::Gate;
use super::service::Service;
use super::stopper::Stopper;
use crate::backoff::Backoff;
use crate::calls::{Answers, OnError, Outlet, Session};
use crate::error::{AcceptError, Error, RecvError};
use crate::peer::Peer;
use crate::tokio::{Connection, Listener, Sender};

/// The longest pause while no connection can be accepted.
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// Serves calls with async handlers.
///
/// Clones share the service and its limits.
///
/// The task of a connection polls each handler once. If the handler is not ready then, it continues in a task of its
/// own. So a handler that computes for long before it first waits blocks its connection: it should call
/// [`spawn_blocking`](https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html).
///
/// If a connection has reached its limit of running calls, or if all connections together have, further requests wait.
/// The server reads requests ahead, as many as may run, or until they exceed 1 MiB. Further ones stay in the
/// socket, and the client waits. The server also reads no requests while more than 1 MiB of a client's answers are
/// unsent.
///
/// When a connection ends, its handlers see [`cancelled`](crate::calls::Context::cancelled), and continue until they
/// return.
pub struct Server<S> {
    service: Arc<S>,
    bounds: Bounds,
    gate: Arc<Gate>,
    stopper: Stopper,
    on_error: OnError,
}

impl<S: Service> Server<S> {
    /// Creates a server that runs up to 1,024 calls of a connection at the same time, and also up to 64 calls that are
    /// answered with items. All connections together have up to 65,536 calls.
    pub fn new(service: S) -> Self {
        Self {
            service: Arc::new(service),
            bounds: Bounds { calls: 1024, streams: 64 },
            gate: Arc::new(Gate::new(65_536)),
            stopper: Stopper::default(),
            on_error: OnError::default(),
        }
    }

    /// Sets how many calls of one connection may run at the same time, at least 1.
    #[must_use]
    pub fn calls(self, calls: usize) -> Self {
        Self { bounds: Bounds { calls: calls.max(1), ..self.bounds }, ..self }
    }

    /// Sets how many calls of all connections together may run at the same time, at least 1. Calls that are answered
    /// with items do not count.
    #[must_use]
    pub fn calls_in_all(self, calls: usize) -> Self {
        Self { gate: Arc::new(Gate::new(calls.max(1))), ..self }
    }

    /// Sets how many calls of one connection may be answered with items at the same time. A further one gets
    /// [`CallError::Busy`](crate::calls::CallError::Busy).
    #[must_use]
    pub fn streams(self, streams: usize) -> Self {
        Self { bounds: Bounds { streams, ..self.bounds }, ..self }
    }

    /// Calls `tell` with each error that no handler gets, for logs: see
    /// [`Server::on_error`](crate::calls::Server::on_error). It runs in the tasks that serve, and must not block.
    ///
    /// ```
    /// # use datagrammar::calls::Context;
    /// # use datagrammar::{Message, Protocol};
    /// use datagrammar::error::Chain;
    /// use datagrammar::tokio::calls::Server;
    ///
    /// # #[derive(Message, Protocol)]
    /// # enum Echo {
    /// #     #[message(tag = 1, reply = u64)]
    /// #     Say(u64),
    /// # }
    /// # struct Hall;
    /// # impl EchoTokioHandler for Hall {
    /// #     async fn say(&self, _cx: &Context, value: u64) -> u64 {
    /// #         value
    /// #     }
    /// # }
    /// let server = Server::new(EchoTokioService(Hall)).on_error(|peer, error| {
    ///     eprintln!("uid {:?}: {}", peer.map(|peer| peer.uid), Chain(error));
    /// });
    /// # drop(server);
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

    /// Serves a connection until it ends. Dropping the future ends the connection.
    ///
    /// # Errors
    ///
    /// A fatal [`RecvError`].
    pub async fn serve(
        &self,
        connection: Connection<Answers<S::Protocol>, S::Protocol>,
    ) -> Result<(), RecvError> {
        self.serve_session(connection).await.1
    }

    /// Serves a connection, and also returns its session.
    async fn serve_session(
        &self,
        connection: Connection<Answers<S::Protocol>, S::Protocol>,
    ) -> (Arc<Session>, Result<(), RecvError>) {
        let peer = connection.peer().ok();
        let (sender, mut receiver) = connection.split();
        receiver.inner_mut().accept_calls();
        let Sender { inner, outbound } = sender;
        let session = Session::driven(inner.fd().clone(), Outlet::new(inner), peer);
        let session = Arc::new(session.telling(self.on_error.clone()));
        self.stopper.0.add(&session);
        let service = Arc::clone(&self.service);
        let handle = move |call| Arc::clone(&service).handle(call);
        let (bounds, gate) = (self.bounds, Arc::clone(&self.gate));
        let shared = Arc::clone(&session);
        let mut desk = Desk::new(handle, bounds, gate, shared, receiver, outbound);
        let ended = poll_fn(|cx| desk.poll_serve(cx)).await;
        (session, ended)
    }

    /// Accepts connections, and serves each in a task of its own, until the listener or the server is stopped. Returns
    /// when all these connections have ended, so that the program can exit then. [`Stopper::stop`] ends the
    /// connections; after [`Listener::shutdown`], the clients end them. Dropping the future only stops accepting.
    ///
    /// # Errors
    ///
    /// [`AcceptError::Io`], without waiting for the connections.
    pub async fn run(
        &self,
        listener: &Listener<Answers<S::Protocol>, S::Protocol>,
    ) -> Result<(), AcceptError> {
        let (mut backoff, connections) = (Backoff::up_to(MAX_PAUSE), Arc::default());
        let mut is_failing = false;
        loop {
            let accepted = {
                let report = |error| self.on_error.tell_first(&mut is_failing, error);
                let mut accepting = pin!(listener.accept_and_report(report));
                poll_fn(|cx| match self.stopper.0.poll_stopping(cx.waker()) {
                    Poll::Ready(()) => Poll::Ready(None),
                    Poll::Pending => accepting.as_mut().poll(cx).map(Some),
                })
                .await
            };
            match accepted {
                Some(Ok(connection)) => {
                    backoff.reset();
                    is_failing = false;
                    let (server, open) = (self.clone(), Connections::open(&connections));
                    ::tokio::spawn(async move {
                        let _open = open;
                        let (session, ended) = server.serve_session(connection).await;
                        ended.unwrap_or_else(|error| session.tell(error));
                    });
                }
                None | Some(Err(AcceptError::Shutdown)) => {
                    connections.ended().await;
                    return Ok(());
                }
                Some(Err(error)) if error.is_fatal() => return Err(error),
                Some(Err(error)) => {
                    self.on_error.tell_first(&mut is_failing, error);
                    sleep(backoff.next_pause()).await;
                }
            }
        }
    }
}

impl<S> Clone for Server<S> {
    fn clone(&self) -> Self {
        Self {
            service: Arc::clone(&self.service),
            bounds: self.bounds,
            gate: Arc::clone(&self.gate),
            stopper: self.stopper.clone(),
            on_error: self.on_error.clone(),
        }
    }
}

impl<S> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("bounds", &self.bounds)
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
