//! Reports the errors that no handler gets.

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::error::Error;
use crate::peer::Peer;

/// The function of [`Server::on_error`](super::Server::on_error), if there is one.
#[derive(Clone, Default)]
pub(crate) struct OnError(Option<Arc<Tell>>);

type Tell = dyn Fn(Option<&Peer>, &Error) + Send + Sync;

impl OnError {
    pub(crate) fn new(tell: impl Fn(Option<&Peer>, &Error) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    /// Reports an error. `peer` is the client that it concerns, if there is one.
    pub(crate) fn tell(&self, peer: Option<&Peer>, error: impl Into<Error>) {
        if let Some(tell) = &self.0 {
            let error = error.into();
            // After a panic, which the panic hook has reported, the server continues.
            _ = catch_unwind(AssertUnwindSafe(|| tell(peer, &error)));
        }
    }

    /// Reports that no client can be accepted, unless `is_failing` is set. Sets `is_failing`.
    pub(crate) fn tell_first(&self, is_failing: &mut bool, error: impl Into<Error>) {
        if !mem::replace(is_failing, true) {
            self.tell(None, error);
        }
    }
}

// `tell` catches the panics of the function, so they never unwind through a server.
impl UnwindSafe for OnError {}
impl RefUnwindSafe for OnError {}

impl fmt::Debug for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnError").field(&self.0.is_some()).finish()
    }
}
