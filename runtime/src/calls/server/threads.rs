//! The blocking server: a bounded number of threads for each connection.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::call::Call;
use super::request::Received;
use super::service::Service;
use super::session::Session;
use super::stopper::Stopper;
use crate::backoff::Backoff;
use crate::calls::outlet::Outlet;
use crate::calls::protocol::Answers;
use crate::calls::status::Status;
use crate::connection::Connection;
use crate::error::{AcceptError, RecvError};
use crate::listener::Listener;
use crate::receiver::Receiver;
use crate::wait::Wait;

/// Serves calls with blocking handlers.
///
/// Each connection has at most as many threads as [`threads`](Self::threads) says, and calls that are answered with
/// items have threads of their own. While all threads work, no further request is read: the client waits. If the
/// system refuses another thread, the others serve on, a call with items gets
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
                // To look now and then whether the server is stopped.
                match listener.accept_deadline(Instant::now() + RECHECK) {
                    Ok(connection) => {
                        let serve = || self.serve(connection);
                        match thread::Builder::new().spawn_scoped(scope, serve) {
                            Ok(_) => backoff.reset(),
                            // No thread can be started now. The connection is closed.
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

impl<S: Service> Crew<'_, S> {
    /// Receives and handles calls until the connection ends.
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) -> Result<(), RecvError> {
        loop {
            self.idle.fetch_add(1, Ordering::AcqRel);
            let call = self.next();
            let is_last = self.idle.fetch_sub(1, Ordering::AcqRel) == 1;
            let Some(call) = call.transpose() else { return Ok(()) };
            let call = call?;
            if is_last {
                self.grow(scope);
            }
            self.begin(scope, call);
        }
    }

    /// Starts another thread, unless there are enough.
    fn grow<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        if !enter(&self.size, self.server.threads) {
            return;
        }
        let spawned = thread::Builder::new().spawn_scoped(scope, || self.work(scope));
        if spawned.is_err() {
            // Those that there are go on, and try again.
            self.size.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Receives the next call. `None` at the end of the connection.
    fn next(&self) -> Result<Option<Call<S::Protocol>>, RecvError> {
        let mut receiver = self.receiver();
        loop {
            let received = receiver.receive_range(Wait::Block);
            match self.session.accept(&mut receiver, received)? {
                Received::Call(call) => return Ok(Some(call)),
                Received::Nothing => {}
                Received::End => return Ok(None),
            }
        }
    }

    /// Handles a call, or lets another thread do so if it is answered with items.
    fn begin<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, call: Call<S::Protocol>) {
        if !call.has_items() {
            return self.handle(call);
        }
        if !enter(&self.streams, self.server.streams) {
            return call.refuse(Status::Busy);
        }
        // The thread gets the call once it is there: without it, the call is still here to be refused.
        let (hand_over, handed_over) = mpsc::channel();
        let spawned = thread::Builder::new().spawn_scoped(scope, move || {
            _ = handed_over.recv().map(|call| self.handle(call));
            self.streams.fetch_sub(1, Ordering::AcqRel);
        });
        match spawned {
            // Fails only if the thread is gone, and it waits.
            Ok(_) => _ = hand_over.send(call),
            Err(_) => {
                self.streams.fetch_sub(1, Ordering::AcqRel);
                call.refuse(Status::Busy);
            }
        }
    }

    /// Calls the handler. If it panics, only its caller learns of it.
    fn handle(&self, call: Call<S::Protocol>) {
        let trace = call.trace();
        let handle = AssertUnwindSafe(|| trace.enter(|| self.server.service.handle(call)));
        // The panic hook has reported it, and dropping the call has answered it.
        _ = catch_unwind(handle);
    }

    fn receiver(&self) -> MutexGuard<'_, Receiver<S::Protocol>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one more, unless there are `max`.
fn enter(count: &AtomicUsize, max: usize) -> bool {
    let one_more = |count| (count < max).then_some(count + 1);
    count.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
}
