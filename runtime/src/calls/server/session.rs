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
    /// `None` in memory.
    fd: Option<DatagramFd>,
    outlet: Outlet,
    calls: Mutex<HashMap<u64, Arc<Running>>>,
    /// Takes no more calls.
    is_stopping: AtomicBool,
    /// No more answers can be sent.
    is_broken: AtomicBool,
    pub(super) peer: Option<Arc<Peer>>,
}

impl Session {
    pub(crate) fn new(
        fd: impl Into<Option<DatagramFd>>,
        outlet: Outlet,
        peer: Option<impl Into<Arc<Peer>>>,
    ) -> Self {
        Self {
            fd: fd.into(),
            outlet,
            calls: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
            peer: peer.map(Into::into),
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

    pub(crate) fn cancel(&self, id: u64) {
        let running = self.calls().remove(&id);
        running.into_iter().for_each(|running| running.cancel());
    }

    pub(crate) fn add_credit(&self, id: u64, more: u32) {
        let running = self.calls().get(&id).cloned();
        running.into_iter().for_each(|running| running.add_credit(more));
    }

    /// Returns a call that runs.
    pub(crate) fn running(&self, id: u64) -> Option<Arc<Running>> {
        self.calls().get(&id).cloned()
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

    /// Ends the calls that still run, tells their callers, and closes the connection.
    pub(crate) fn close(&self) {
        let calls: Vec<_> = self.calls().drain().collect();
        for (id, running) in calls {
            running.cancel();
            self.outlet.push_head(reply(id, Status::Stopping));
        }
        self.flush();
        // Fails only if it has ended.
        _ = self.fd.as_ref().map(|fd| fd.shutdown(Shutdown::Both));
    }

    /// Answers a call with a message, and ends it. Answers nothing if the call was cancelled.
    pub(crate) fn reply<M: Message>(&self, id: u64, message: &M) -> Result<(), SendError> {
        if self.calls().remove(&id).is_none() {
            return Ok(());
        }
        let pushed = self.outlet.push(Some(reply(id, Status::Done)), message).map(drop);
        if pushed.is_err() {
            self.push_status(id, Status::Failed);
        }
        self.flush();
        pushed
    }

    /// Ends a call without a message. Says nothing if the call was cancelled.
    pub(crate) fn finish(&self, id: u64, kind: CallKind, status: Status) {
        if self.calls().remove(&id).is_some() {
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

    fn push_status(&self, id: u64, status: Status) {
        self.outlet.push_head(reply(id, status));
    }

    /// Sends what is queued, and waits for room: a client that does not read its answers gets no others.
    fn flush(&self) {
        while !self.try_flush() && !self.is_broken.load(Ordering::Acquire) {
            // Memory always has room.
            let Some(fd) = &self.fd else { return };
            // If it fails, so does sending.
            _ = sys::wait(fd.as_fd(), Readiness::Writable, Some(Instant::now() + RECHECK));
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
