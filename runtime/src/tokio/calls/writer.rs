//! Sends what the calls of a connection have queued.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::calls::{Core, Session};
use crate::error::SendError;
use crate::tokio::registration::Registration;

/// Where parts of calls are queued.
pub(super) trait Queued: Send + Sync + 'static {
    /// Sends what is queued, as far as there is room. Returns whether everything was sent.
    fn try_flush(&self) -> bool;
}

impl Queued for Core {
    fn try_flush(&self) -> bool {
        self.flush()
    }
}

impl Queued for Session {
    fn try_flush(&self) -> bool {
        self.try_flush()
    }
}

/// Sends what is queued, and waits for room.
pub(super) struct Writer<Q> {
    queued: Arc<Q>,
    /// `None` while it waits for room.
    registration: Option<Registration>,
    /// Waits for room. Ends once everything was sent.
    blocked: Option<Pin<Box<dyn Future<Output = Registration> + Send>>>,
}

impl<Q: Queued> Writer<Q> {
    pub(super) fn new(queued: Arc<Q>, registration: Registration) -> Self {
        Self { queued, registration: Some(registration), blocked: None }
    }

    /// Sends what is queued. Ready when everything was sent.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(registration) = &mut self.registration
            && self.queued.try_flush()
        {
            registration.was_free();
            return Poll::Ready(());
        }
        if let Some(registration) = self.registration.take() {
            let blocked = wait_and_flush(Arc::clone(&self.queued), registration);
            self.blocked = Some(Box::pin(blocked));
        }
        if let Some(blocked) = &mut self.blocked {
            self.registration = Some(ready!(blocked.as_mut().poll(cx)));
            self.blocked = None;
        }
        Poll::Ready(())
    }
}

async fn wait_and_flush<Q: Queued>(queued: Arc<Q>, mut registration: Registration) -> Registration {
    let flush = || match queued.try_flush() {
        true => Ok(()),
        false => Err(SendError::WouldBlock { len: 0 }),
    };
    // Fails only while the runtime shuts down.
    _ = registration.write(flush).await;
    registration
}

impl<Q> fmt::Debug for Writer<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("is_blocked", &self.blocked.is_some()).finish()
    }
}
