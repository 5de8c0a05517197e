//! The connection of a server, as its handlers see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::calls::watchers::Watchers;
use crate::peer::Peer;

/// The caller, and whether the server stops.
#[derive(Debug, Default)]
pub(crate) struct Caller {
    pub(super) peer: Option<Arc<Peer>>,
    is_stopping: AtomicBool,
    /// The futures that wait until the server stops.
    watchers: Watchers,
}

impl Caller {
    pub(super) fn new(peer: Option<Arc<Peer>>) -> Self {
        Self { peer, ..Self::default() }
    }

    /// Tells the handlers that the server stops.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.watchers.wake();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn watchers(&self) -> &Watchers {
        &self.watchers
    }
}
