//! The connection of an async client, shared by all of its calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use crate::calls::{Bell, CallError, Core, Queued, Room, Sending};
use crate::message::Message;

/// Calls without an answer wait while more than this many bytes are queued.
const MAX_UNSENT: usize = 1024 * 1024;

/// The state that the calls of a connection share with its driver.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) core: Arc<Core>,
    pub(super) bell: Bell,
    /// Whether no more calls can begin.
    is_closing: AtomicBool,
    /// Whether the driver polls the reactor while it waits for answers.
    is_busy_polling: AtomicBool,
    /// The tasks that wait until less is queued.
    room: Room,
}

/// Keeps the driver running. Clients, calls and items hold it.
#[derive(Debug)]
pub(super) struct Handle(pub(super) Arc<Link>);

impl Link {
    pub(super) fn new(core: Core) -> Self {
        Self {
            core: Arc::new(core),
            bell: Bell::default(),
            is_closing: AtomicBool::new(false),
            is_busy_polling: AtomicBool::new(false),
            room: Room::default(),
        }
    }

    /// Queues a request for one answer, or for `items`. Sends it, or makes sure that it is sent. Returns its id.
    pub(super) fn begin<M: Message>(
        &self,
        request: &M,
        items: bool,
        deadline: Option<Instant>,
    ) -> Result<u64, CallError> {
        let (id, sending) = self.core.begin(request, items, deadline)?;
        match sending {
            Sending::Now if self.core.flush() => {
                // Another task may wait until its request is sent, which may have happened now.
                self.admit();
                if self.is_busy_polling.load(Ordering::Relaxed) {
                    self.bell.ring();
                }
            }
            Sending::Now | Sending::Soon => self.bell.ring(),
            Sending::Underway => {}
        }
        Ok(id)
    }

    /// Ends a call early.
    pub(super) fn cancel(&self, id: u64) {
        self.core.cancel(id, || self.bell.ring());
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// Sets whether the driver polls the reactor while it waits for answers. If so, each call that begins wakes it.
    pub(super) fn set_busy_polling(&self, is_on: bool) {
        self.is_busy_polling.store(is_on, Ordering::Relaxed);
    }

    /// Waits until little is queued, or until the connection has ended. If the request can be refused alone, also waits
    /// until it is sent, so that its caller learns of a refusal.
    pub(super) fn poll_room(
        &self,
        cx: &Context<'_>,
        queued: &Queued,
    ) -> Poll<Result<(), CallError>> {
        let is_sent = || !queued.is_alone || self.core.is_sent(queued);
        let is_free = || (self.has_room() && is_sent()) || self.has_ended();
        self.room.poll(cx.waker(), is_free).map(|()| self.core.check_notified(queued))
    }

    /// Wakes the tasks that wait for room, if there is room or the connection has ended.
    pub(super) fn admit(&self) {
        self.room.admit(|| self.has_room());
    }

    fn has_room(&self) -> bool {
        self.core.unsent() <= MAX_UNSENT || self.has_ended()
    }

    fn has_ended(&self) -> bool {
        self.core.table().check().is_err()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.is_closing.store(true, Ordering::Release);
        self.0.bell.ring();
    }
}
