//! Ends a session because its server stops.

use std::net::Shutdown;
use std::time::Instant;

use super::session::{Session, reply};
use crate::calls::status::Status;
use crate::calls::sync::atomic::Ordering;

impl Session {
    /// Takes no more calls, from now on, and tells the handlers of those that run.
    pub(crate) fn stop(&self) {
        self.outlet.lock().stop();
        self.caller.stop();
    }

    /// Returns whether all calls have ended. Then their answers are queued.
    pub(crate) fn is_idle(&self) -> bool {
        self.len() == 0
    }

    /// Cancels the calls that still run. Tells their callers, as far as there is room. Returns the number of cancelled
    /// calls.
    pub(crate) fn cancel_the_rest(&self) -> usize {
        let mut calls = self.outlet.lock();
        let ended = calls.end_all(&self.counts);
        let mut told = 0;
        for (id, _running) in ended.iter().filter(|(_id, running)| !running.is_cancelled()) {
            calls.push_head(reply(*id, Status::Cancelled));
            told += 1;
        }
        drop(calls);
        ended.iter().for_each(|(_id, running)| running.cancel());
        if self.bell.is_none() {
            self.try_flush();
        }
        told
    }

    /// Sends the queued answers until `farewell`, and closes the connection. If a task sends answers, leaves both to
    /// the task.
    pub(crate) fn close(&self, farewell: Instant) {
        if let Some(bell) = &self.bell {
            self.is_closing.store(true, Ordering::SeqCst);
            bell.ring();
            return;
        }
        self.flush_until(self.outlet.queued(), Some(farewell));
        self.shutdown();
    }

    /// Returns whether the connection must be closed when everything is sent.
    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    pub(crate) fn shutdown(&self) {
        // Fails only if it has ended.
        _ = self.fd.as_ref().map(|fd| fd.shutdown(Shutdown::Both));
    }
}
