//! The threads of a connection of a blocking server.

use std::collections::VecDeque;
use std::os::fd::AsFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, mpsc};
use std::thread::{self, Scope};

use super::call::Call;
use super::minder::Minder;
use super::request::Received;
use super::service::Service;
use super::session::Session;
use crate::calls::status::Status;
use crate::error::RecvError;
use crate::receiver::Receiver;
use crate::sys;
use crate::wait::Wait;

/// The threads of a connection. One thread receives. When it has received a call, another one takes its place. While
/// all of them handle calls, the minder receives from time to time.
pub(super) struct Crew<'s, S: Service> {
    service: &'s S,
    session: Arc<Session>,
    inlet: Mutex<Inlet<S>>,
    minder: Minder,
    /// How many threads receive, or wait for their turn to receive.
    idle: AtomicUsize,
    /// The number of threads, without those of calls with items.
    size: AtomicUsize,
    max_size: usize,
    /// How many calls with items run.
    streams: AtomicUsize,
    max_streams: usize,
}

/// The source of calls.
struct Inlet<S: Service> {
    receiver: Receiver<S::Protocol>,
    /// Calls that the minder has received, and the error after which no more come.
    held: VecDeque<Result<Call<S::Protocol>, RecvError>>,
}

impl<'s, S: Service> Crew<'s, S> {
    /// Creates a crew of one thread, which grows to at most `max_size`. Calls with items have threads of their own.
    pub(super) fn new(
        service: &'s S,
        max_size: usize,
        max_streams: usize,
        session: Arc<Session>,
        receiver: Receiver<S::Protocol>,
    ) -> Self {
        Self {
            service,
            session,
            inlet: Mutex::new(Inlet { receiver, held: VecDeque::new() }),
            minder: Minder::default(),
            idle: AtomicUsize::new(0),
            size: AtomicUsize::new(1),
            max_size,
            streams: AtomicUsize::new(0),
            max_streams,
        }
    }

    /// Receives and handles calls until the connection ends.
    pub(super) fn work<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<(), RecvError> {
        loop {
            self.idle.fetch_add(1, Ordering::AcqRel);
            let call = self.next();
            let is_last = self.idle.fetch_sub(1, Ordering::AcqRel) == 1;
            let Some(call) = call.transpose() else { break };
            let call = call.inspect_err(|_| self.minder.end())?;
            if is_last && !self.grow(scope) {
                self.wake_minder(scope);
            }
            self.begin(scope, call);
        }
        self.minder.end();
        Ok(())
    }

    /// Starts another thread, unless there are enough. Returns whether a thread was started.
    fn grow<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) -> bool {
        if !enter(&self.size, self.max_size) {
            return false;
        }
        let spawned = thread::Builder::new().spawn_scoped(scope, || self.work(scope));
        if spawned.is_err() {
            // The other threads continue, and try again.
            self.size.fetch_sub(1, Ordering::AcqRel);
        }
        spawned.is_ok()
    }

    fn wake_minder<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        if self.minder.wake() {
            let mind = || self.minder.work(|| self.receive_ahead(scope));
            if thread::Builder::new().spawn_scoped(scope, mind).is_err() {
                self.minder.not_started();
            }
        }
    }

    /// Receives the next call. Returns `None` at the end of the connection.
    fn next(&self) -> Result<Option<Call<S::Protocol>>, RecvError> {
        let mut inlet = self.inlet.lock().unwrap_or_else(PoisonError::into_inner);
        let Inlet { receiver, held } = &mut *inlet;
        loop {
            match held.pop_front() {
                Some(Ok(call)) if call.is_over() => call.refuse(Status::TimedOut),
                Some(call) => return call.map(Some),
                None => {
                    let received = receiver.receive_range(Wait::Block);
                    match self.session.accept(receiver, received)? {
                        Received::Call(call) => return Ok(Some(call)),
                        Received::Nothing => {}
                        Received::End => return Ok(None),
                    }
                }
            }
        }
    }

    /// Receives the queued requests, unless another thread receives. Begins calls with items, and holds other calls
    /// until a thread is free to handle them. Returns `false` if another thread receives.
    fn receive_ahead<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) -> bool {
        let mut inlet: MutexGuard<'_, Inlet<S>> = match self.inlet.try_lock() {
            Ok(inlet) => inlet,
            Err(TryLockError::Poisoned(inlet)) => inlet.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let Inlet { receiver, held } = &mut *inlet;
        while held.len() < self.max_size && self.idle.load(Ordering::Acquire) == 0 {
            let received = receiver.receive_range(Wait::Try);
            if matches!(received, Err(RecvError::WouldBlock | RecvError::Unfinished { .. })) {
                break;
            }
            match self.session.accept(receiver, received) {
                Ok(Received::Call(call)) if call.has_items() => self.begin(scope, call),
                Ok(Received::Call(call)) => held.push_back(Ok(call)),
                Ok(Received::Nothing) => {}
                // The next thread that receives finds the end, too.
                Ok(Received::End) => break,
                Err(error) => {
                    held.push_back(Err(error));
                    break;
                }
            }
        }
        // Requests that are still in the socket hide the end.
        if held.len() >= self.max_size && sys::has_hung_up(receiver.fd().as_fd()) {
            self.session.cancel_all();
        }
        true
    }

    /// Handles a call. If the call is answered with items, starts a thread that handles it.
    fn begin<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, call: Call<S::Protocol>) {
        if !call.has_items() {
            return self.handle(call);
        }
        if !enter(&self.streams, self.max_streams) {
            return call.refuse(Status::Busy);
        }
        // The thread gets the call only when it runs. If it cannot be started, the call is still here to be refused.
        let (hand_over, handed_over) = mpsc::channel();
        let spawned = thread::Builder::new().spawn_scoped(scope, move || {
            _ = handed_over.recv().map(|call| self.handle(call));
            self.streams.fetch_sub(1, Ordering::AcqRel);
        });
        match spawned {
            // Does not fail: the thread waits for it.
            Ok(_) => _ = hand_over.send(call),
            Err(_) => {
                self.streams.fetch_sub(1, Ordering::AcqRel);
                call.refuse(Status::Busy);
            }
        }
    }

    /// Calls the handler. If the handler panics, only its caller gets an error.
    fn handle(&self, call: Call<S::Protocol>) {
        let trace = call.trace();
        let handle = AssertUnwindSafe(|| trace.enter(|| self.service.handle(call)));
        // The panic hook has reported it, and dropping the call has answered it.
        _ = catch_unwind(handle);
    }
}

/// Adds one to `count`, unless it is `max`. Returns whether the count was below `max`.
fn enter(count: &AtomicUsize, max: usize) -> bool {
    let one_more = |count| (count < max).then_some(count + 1);
    count.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
}
