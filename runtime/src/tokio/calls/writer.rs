//! Sends the parts that the calls of a connection have queued.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::calls::{Core, Session};
use crate::error::SendError;
use crate::tokio::outbound::Outbound;

/// Sends the parts that the calls of a connection have queued.
pub(super) trait Flush: Send + Sync + 'static {
    /// Sends the queued parts as far as there is room. Returns whether everything was sent.
    fn try_flush(&self) -> bool;
}

impl Flush for Core {
    fn try_flush(&self) -> bool {
        self.flush()
    }
}

impl Flush for Session {
    fn try_flush(&self) -> bool {
        self.try_flush()
    }
}

/// Sends the queued parts, and waits for room.
pub(super) struct Writer<Q> {
    queued: Arc<Q>,
    /// `None` while it waits for room.
    outbound: Option<Outbound>,
    /// Waits for room, and ends when everything is sent.
    blocked: Option<Pin<Box<dyn Future<Output = Outbound> + Send>>>,
}

impl<Q: Flush> Writer<Q> {
    pub(super) fn new(queued: Arc<Q>, outbound: Outbound) -> Self {
        Self { queued, outbound: Some(outbound), blocked: None }
    }

    /// Sends the queued parts. Ready when everything is sent.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(outbound) = &mut self.outbound
            && self.queued.try_flush()
        {
            outbound.was_free();
            return Poll::Ready(());
        }
        if let Some(outbound) = self.outbound.take() {
            let blocked = wait_and_flush(Arc::clone(&self.queued), outbound);
            self.blocked = Some(Box::pin(blocked));
        }
        if let Some(blocked) = &mut self.blocked {
            self.outbound = Some(ready!(blocked.as_mut().poll(cx)));
            self.blocked = None;
        }
        Poll::Ready(())
    }
}

async fn wait_and_flush<Q: Flush>(queued: Arc<Q>, mut outbound: Outbound) -> Outbound {
    let flush = || match queued.try_flush() {
        true => Ok(()),
        false => Err(SendError::WouldBlock { len: 0 }),
    };
    // Fails only while the runtime shuts down.
    _ = outbound.write(flush).await;
    outbound
}

impl<Q> fmt::Debug for Writer<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("is_blocked", &self.blocked.is_some()).finish()
    }
}
