//! How a session ends because its server stops.

use std::net::Shutdown;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::session::Session;
use crate::backoff::Backoff;
use crate::calls::status::Status;

/// The longest pause between looks at whether all answers are queued.
const MAX_PAUSE: Duration = Duration::from_millis(1);

impl Session {
    /// Takes no more calls, from now on.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    #[inline]
    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// Returns whether all calls have ended, and their answers are queued.
    pub(crate) fn is_idle(&self) -> bool {
        self.calls.len() == 0 && !self.is_ending()
    }

    /// Returns whether a call has ended whose answer is not queued yet.
    pub(crate) fn is_ending(&self) -> bool {
        self.calls.is_ending()
    }

    /// Takes no more calls, and cancels those that still run. Tells their callers, as far as there is room. Returns the
    /// number of cancelled calls.
    pub(crate) fn cancel_the_rest(&self) -> usize {
        self.stop();
        let mut cancelled = 0;
        // If another thread stops the server too, it closes the connection only after all callers are told.
        for (id, running, _unanswered) in &self.calls.take_all() {
            if !running.is_cancelled() {
                running.cancel();
                _ = self.push_status(*id, Status::Cancelled);
                cancelled += 1;
            }
        }
        if self.bell.is_none() {
            self.try_flush();
        }
        cancelled
    }

    /// Sends the queued answers until `farewell`, and closes the connection. If a task sends answers, leaves both to
    /// the task.
    pub(crate) fn close(&self, farewell: Instant) {
        if let Some(bell) = &self.bell {
            self.is_closing.store(true, Ordering::SeqCst);
            bell.ring();
            return;
        }
        let mut backoff = Backoff::up_to(MAX_PAUSE);
        while self.is_ending() && backoff.wait_until(Some(farewell)) {}
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
