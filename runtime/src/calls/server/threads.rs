//! The blocking server: a bounded number of threads for each connection.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::call::Call;
use super::context::Running;
use super::service::Service;
use super::session::Session;
use crate::backoff::Backoff;
use crate::calls::outlet::Outlet;
use crate::calls::protocol::{Answers, Protocol};
use crate::calls::status::Status;
use crate::connection::Connection;
use crate::error::{AcceptError, RecvError};
use crate::listener::Listener;
use crate::receiver::{Part, Receiver};
use crate::wait::Wait;
use crate::wire::{CallHead, CallKind};

/// Serves calls with blocking handlers.
///
/// Each connection has at most as many threads as [`threads`](Self::threads) says, and calls that are answered with items
/// have threads of their own. While all threads work, no further request is read: the client waits.
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

    /// Serves a connection until it ends, on this thread and up to [`threads`](Self::threads) - 1 others.
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
        let crew = Crew {
            server: self,
            session,
            receiver: Mutex::new(receiver),
            idle: AtomicUsize::new(0),
            size: AtomicUsize::new(1),
            streams: AtomicUsize::new(0),
        };
        thread::scope(|scope| crew.work(scope))
    }

    /// Accepts connections and serves each on a thread of its own, until the listener or the server is stopped.
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
                // To look now and then whether the server is stopped.
                match listener.accept_deadline(Instant::now() + RECHECK) {
                    Ok(connection) => {
                        backoff.reset();
                        scope.spawn(|| self.serve(connection));
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

/// How often a listening server looks whether it is stopped.
const RECHECK: Duration = Duration::from_millis(50);

/// The threads of a connection. One of them receives; when it has a call, another one takes its place.
struct Crew<'s, S: Service> {
    server: &'s Server<S>,
    session: Arc<Session>,
    receiver: Mutex<Receiver<S::Protocol>>,
    /// How many threads receive, or wait to.
    idle: AtomicUsize,
    /// How many threads there are.
    size: AtomicUsize,
    /// How many calls with items run.
    streams: AtomicUsize,
}

/// A request, and its call, unless it wants no answer.
struct Request {
    part: Part,
    call: Option<(u64, Arc<Running>)>,
}

impl<S: Service> Crew<'_, S> {
    /// Receives and handles calls until the connection ends.
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) -> Result<(), RecvError> {
        loop {
            self.idle.fetch_add(1, Ordering::AcqRel);
            let request = self.next();
            let is_last = self.idle.fetch_sub(1, Ordering::AcqRel) == 1;
            let Some(request) = request.transpose() else { return Ok(()) };
            let request = request?;
            if is_last && self.size.load(Ordering::Acquire) < self.server.threads {
                self.size.fetch_add(1, Ordering::AcqRel);
                scope.spawn(|| self.work(scope));
            }
            self.begin(scope, request);
        }
    }

    /// Receives the next request. `None` at the end of the connection.
    fn next(&self) -> Result<Option<Request>, RecvError> {
        let mut receiver = self.receiver();
        loop {
            let part = match receiver.receive_range(Wait::Block) {
                Ok(Some(range)) => receiver.take_part(range),
                Ok(None) => {
                    self.session.end();
                    return Ok(None);
                }
                Err(error) if error.is_fatal() => {
                    self.session.end();
                    return Err(error);
                }
                Err(error) => {
                    let refused = receiver.take_refused();
                    if let Some(CallHead { id, kind: CallKind::Request, .. }) = refused {
                        self.session.refuse(id, Status::of_refused(&error));
                    }
                    continue;
                }
            };
            let Some(CallHead { kind, number, id }) = part.head else {
                return Ok(Some(Request { part, call: None }));
            };
            match kind {
                CallKind::Request if self.session.is_stopping() => {
                    self.session.refuse(id, Status::Stopping);
                }
                CallKind::Request => {
                    let millis = Duration::from_millis(number.into());
                    let deadline = (number > 0).then(|| Instant::now() + millis);
                    // Before another thread receives what the client says of this call.
                    match self.session.begin(id, deadline) {
                        Some(running) => {
                            return Ok(Some(Request { part, call: Some((id, running)) }));
                        }
                        None => self.session.refuse(id, Status::Malformed),
                    }
                }
                CallKind::Cancel => self.session.cancel(id),
                CallKind::Credit => self.session.add_credit(id, number),
                // A client that sends those breaks the rules, and harms nobody.
                CallKind::Reply | CallKind::Item | CallKind::End => {}
            }
        }
    }

    /// Handles a call, or lets another thread do so if it is answered with items.
    fn begin<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, request: Request) {
        let Request { part, call } = request;
        let frame = part.into_frame::<S::Protocol>();
        let (running, id) = match call {
            None => (Arc::new(Running::new(None)), None),
            Some((id, running)) => (running, Some(id)),
        };
        let has_items = frame.tag().is_ok_and(<S::Protocol as Protocol>::has_items);
        let call = Call::new(frame, Arc::clone(&self.session), running, id);
        if !has_items {
            return self.handle(call);
        }
        if self.streams.fetch_add(1, Ordering::AcqRel) >= self.server.streams {
            self.streams.fetch_sub(1, Ordering::AcqRel);
            return call.refuse(Status::Busy);
        }
        scope.spawn(move || {
            self.handle(call);
            self.streams.fetch_sub(1, Ordering::AcqRel);
        });
    }

    /// Calls the handler. If it panics, only its caller learns of it.
    fn handle(&self, call: Call<S::Protocol>) {
        let handle = AssertUnwindSafe(|| self.server.service.handle(call));
        // The panic hook has reported it, and dropping the call has answered it.
        _ = catch_unwind(handle);
    }

    fn receiver(&self) -> MutexGuard<'_, Receiver<S::Protocol>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops a [`Server`]: see [`Server::stopper`].
#[derive(Clone, Default)]
pub struct Stopper(Arc<Mutex<Sessions>>);

#[derive(Default)]
struct Sessions {
    is_stopping: bool,
    sessions: Vec<Weak<Session>>,
}

impl Stopper {
    /// Stops the server: it accepts no more connections, refuses new calls with
    /// [`CallError::Stopping`](crate::calls::CallError::Stopping), and finishes those that run. Those that still run at `deadline`
    /// are cancelled, and their callers are told. Then all connections are closed.
    ///
    /// Blocks until then. Returns how many calls were cancelled.
    pub fn stop(&self, deadline: Instant) -> usize {
        let sessions: Vec<Arc<Session>> = {
            let mut all = self.lock();
            all.is_stopping = true;
            all.sessions.drain(..).filter_map(|session| session.upgrade()).collect()
        };
        sessions.iter().for_each(|session| session.stop());
        let mut backoff = Backoff::up_to(MAX_PAUSE);
        while sessions.iter().any(|session| session.len() > 0) && backoff.wait_until(Some(deadline))
        {
        }
        let cancelled = sessions.iter().map(|session| session.len()).sum();
        sessions.iter().for_each(|session| session.close());
        cancelled
    }

    fn add(&self, session: &Arc<Session>) {
        let mut all = self.lock();
        if all.is_stopping {
            session.stop();
        }
        all.sessions.retain(|session| session.strong_count() > 0);
        all.sessions.push(Arc::downgrade(session));
    }

    fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper").finish_non_exhaustive()
    }
}
