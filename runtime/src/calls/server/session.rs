//! A connection of a server: the calls that run, and the way back for their answers.

use std::collections::HashMap;
use std::fmt;
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::context::Running;
use crate::calls::outlet::Outlet;
use crate::calls::status::Status;
use crate::error::SendError;
use crate::message::Message;
use crate::peer::Peer;
use crate::sys::{self, DatagramFd, Readiness};
use crate::wire::{CallHead, CallKind};

/// How often a thread that waits for room looks whether the connection has ended.
const RECHECK: Duration = Duration::from_millis(100);

/// What all calls of a connection share.
pub(crate) struct Session {
    fd: DatagramFd,
    outlet: Outlet,
    calls: Mutex<HashMap<u64, Arc<Running>>>,
    /// Takes no more calls.
    is_stopping: AtomicBool,
    /// No more answers can be sent.
    is_broken: AtomicBool,
    pub(super) peer: Option<Arc<Peer>>,
}

impl Session {
    pub(crate) fn new(fd: DatagramFd, outlet: Outlet, peer: Option<Peer>) -> Self {
        Self {
            fd,
            outlet,
            calls: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
            peer: peer.map(Arc::new),
        }
    }

    /// Begins a call. `None` if a call with this id runs already: the client breaks the rules.
    pub(crate) fn begin(&self, id: u64, deadline: Option<Instant>) -> Option<Arc<Running>> {
        let mut calls = self.calls();
        if calls.contains_key(&id) {
            return None;
        }
        let running = Arc::new(Running::new(deadline));
        calls.insert(id, Arc::clone(&running));
        Some(running)
    }

    /// Tells the handler of a call that its caller has cancelled it. The call runs until its handler ends.
    pub(crate) fn cancel(&self, id: u64) {
        let running = self.calls().get(&id).cloned();
        running.into_iter().for_each(|running| running.cancel());
    }

    pub(crate) fn add_credit(&self, id: u64, more: u32) {
        let running = self.calls().get(&id).cloned();
        running.into_iter().for_each(|running| running.add_credit(more));
    }

    /// Cancels all calls, as the connection has ended.
    pub(crate) fn end(&self) {
        self.is_broken.store(true, Ordering::Release);
        let calls: Vec<_> = self.calls().drain().collect();
        calls.iter().for_each(|(_id, running)| running.cancel());
    }

    /// Takes no more calls, from now on.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// Returns how many calls run.
    pub(crate) fn len(&self) -> usize {
        self.calls().len()
    }

    /// Cancels the calls that still run, tells their callers, and closes the connection.
    pub(crate) fn close(&self) {
        let calls: Vec<_> = self.calls().drain().collect();
        for (id, running) in calls {
            if !running.is_cancelled() {
                running.cancel();
                self.outlet.push_head(reply(id, Status::Cancelled));
            }
        }
        self.flush();
        // Fails only if it has ended.
        _ = self.fd.shutdown(Shutdown::Both);
    }

    /// Answers a call with a message, and ends it. Answers nothing if the call was cancelled.
    pub(crate) fn reply<M: Message>(&self, id: u64, message: &M) -> Result<(), SendError> {
        if !self.take(id) {
            return Ok(());
        }
        if let Err(error) = self.outlet.push(Some(reply(id, Status::Done)), message) {
            self.push_status(id, Status::Failed);
            return Err(error);
        }
        self.flush();
        Ok(())
    }

    /// Ends a call without a message. Says nothing if the call was cancelled.
    pub(crate) fn finish(&self, id: u64, kind: CallKind, status: Status) {
        if self.take(id) {
            self.outlet.push_head(CallHead { kind, number: status as u32, id });
            self.flush();
        }
    }

    /// Refuses a call that has not begun.
    pub(crate) fn refuse(&self, id: u64, status: Status) {
        self.push_status(id, status);
        self.flush();
    }

    /// Sends an item of a call.
    pub(crate) fn item<M: Message>(&self, id: u64, message: &M) -> Result<(), SendError> {
        let head = CallHead { kind: CallKind::Item, number: 0, id };
        self.outlet.push(Some(head), message)?;
        self.flush();
        Ok(())
    }

    /// Ends a call. Returns whether its caller waits for an answer.
    fn take(&self, id: u64) -> bool {
        self.calls().remove(&id).is_some_and(|running| !running.is_cancelled())
    }

    fn push_status(&self, id: u64, status: Status) {
        self.outlet.push_head(reply(id, status));
    }

    /// Sends what is queued, and waits for room: a client that does not read its answers gets no others.
    fn flush(&self) {
        while !self.try_flush() && !self.is_broken.load(Ordering::Acquire) {
            // If it fails, so does sending.
            _ = sys::wait(self.fd.as_fd(), Readiness::Writable, Some(Instant::now() + RECHECK));
        }
    }

    /// Sends what is queued, as far as there is room. Returns whether everything was sent.
    fn try_flush(&self) -> bool {
        self.outlet.flush(|head, error| match head {
            Some(CallHead { id, kind: CallKind::Reply | CallKind::Item, .. })
                if !error.is_fatal() =>
            {
                self.push_status(id, Status::Failed);
            }
            _ => self.is_broken.store(true, Ordering::Release),
        })
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<u64, Arc<Running>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reply(id: u64, status: Status) -> CallHead {
    CallHead { kind: CallKind::Reply, number: status as u32, id }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("running", &self.len()).finish_non_exhaustive()
    }
}
