//! Stops a server.

use std::time::{Duration, Instant};

use ::tokio::time::sleep;

use crate::backoff::Backoff;
use crate::calls;

/// The longest pause between checks of the calls that still run.
const MAX_PAUSE: Duration = Duration::from_millis(20);

/// Stops a [`Server`](super::Server): see [`Server::stopper`](super::Server::stopper).
#[derive(Debug, Clone, Default)]
pub struct Stopper(pub(super) calls::Stopper);

impl Stopper {
    /// Stops the server, and waits until its connections are closed. See
    /// [`Stopper::stop`](crate::calls::Stopper::stop). If the future is dropped earlier, calls that still run are not
    /// cancelled, and connections may stay open.
    pub async fn stop(&self, deadline: Instant) -> usize {
        let sessions = self.0.begin();
        wait_until(deadline, || sessions.iter().all(|session| session.is_idle())).await;
        let farewell = Instant::now() + calls::FAREWELL;
        let cancelled = calls::close(&sessions, farewell);
        wait_until(farewell, || sessions.iter().all(|session| session.is_broken())).await;
        sessions.iter().for_each(|session| session.shutdown());
        cancelled
    }
}

async fn wait_until(deadline: Instant, is_done: impl Fn() -> bool) {
    let mut backoff = Backoff::up_to(MAX_PAUSE);
    while !is_done() && Instant::now() < deadline {
        sleep(backoff.next_pause()).await;
    }
}
