//! From a blocking listener, and back.

use std::io;
use std::os::fd::AsFd as _;

use ::tokio::io::Interest;

use super::endpoint::Listener;
use crate::error::OpenError;
use crate::listener;
use crate::sys;
use crate::tokio::connecting::not_registered;

impl<Tx, Rx> Listener<Tx, Rx> {
    /// Registers a blocking listener with the current runtime.
    ///
    /// # Errors
    ///
    /// The listener, and the error of dup(2) or epoll_ctl(2).
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    #[track_caller]
    #[expect(clippy::result_large_err, reason = "the error returns the listener")]
    pub fn from_blocking(
        listener: listener::Listener<Tx, Rx>,
    ) -> Result<Self, (listener::Listener<Tx, Rx>, io::Error)> {
        let clients = sys::register_duplicate(listener.as_fd(), Interest::READABLE);
        // Not in a closure: a panic would point at it, and not at the caller.
        let stop = match listener.stop_fd() {
            Some(stop) => sys::register_duplicate(stop, Interest::READABLE).map(Some),
            None => Ok(None),
        };
        match (clients, stop) {
            (Ok(clients), Ok(stop)) => Ok(Self { inner: listener, clients, stop }),
            (Err(error), _) | (_, Err(error)) => Err((listener, error)),
        }
    }

    /// Returns the blocking listener.
    #[must_use]
    pub fn into_blocking(self) -> listener::Listener<Tx, Rx> {
        self.inner
    }

    /// Registers a listener that was just opened.
    #[track_caller]
    pub(super) fn register(listener: listener::Listener<Tx, Rx>) -> Result<Self, OpenError> {
        Self::from_blocking(listener).map_err(|(_, source)| not_registered(source))
    }
}
