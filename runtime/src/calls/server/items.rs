//! The items of one call.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Instant;

use thiserror::Error;

use super::context::Running;
use super::session::Session;
use crate::backlog::HeldFrame;
use crate::calls::park::{park_until, waker};
use crate::calls::status::Status;
use crate::calls::trace::{SpanOutcome, Trace};
use crate::error::SendError;
use crate::message::Message;
use crate::wire::CallKind;

/// Why an item was not sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ItemError {
    /// The caller wants no more items: it has cancelled the call or has disconnected, or its deadline has passed.
    #[error(
        "the caller wants no more items: it has cancelled the call or disconnected, or its deadline has passed"
    )]
    Stopped,
    /// The item cannot be encoded.
    #[error("the item was not sent")]
    NotSent(#[source] SendError),
}

/// Answers a call with items, each of which may borrow from values that the handler holds.
///
/// [`end`](Self::end) tells the caller that there are no more items. If the handler of a derived service drops its
/// sender without `end`, the items end when the handler returns. In all other cases, the caller gets
/// [`CallError::Failed`](crate::calls::CallError::Failed) after the items: if the handler panics, if its future is
/// dropped before it ends, or if the sender is dropped after the handler has returned.
#[must_use = "dropping it may tell the caller that the handler has failed"]
pub struct ItemSender<I> {
    session: Arc<Session>,
    running: Arc<Running>,
    id: Option<u64>,
    /// Whether a [`Handling`](super::handling::Handling) tracks how the handler ends.
    is_handled: bool,
    trace: Trace,
    item: PhantomData<fn(I)>,
}

impl<I> ItemSender<I> {
    pub(super) fn new(
        session: Arc<Session>,
        running: Arc<Running>,
        id: Option<u64>,
        trace: Trace,
    ) -> Self {
        Self { session, running, id, is_handled: false, trace, item: PhantomData }
    }

    /// Makes the items end with the handler, if the handler drops the sender.
    pub(super) fn handled(mut self) -> Self {
        self.is_handled = true;
        self
    }

    /// Tells the caller that there are no more items.
    pub fn end(mut self) {
        if let Some(id) = self.id.take() {
            self.finish(id, Status::Done);
        }
    }

    fn finish(&mut self, id: u64, status: Status) {
        let status = if self.running.is_over() { Status::TimedOut } else { status };
        let status = self.session.finish(id, CallKind::End, status);
        self.trace.take().end(|| SpanOutcome::of_status(status));
    }
}

impl<I: Message> ItemSender<I> {
    /// Sends an item. Waits for room in the socket, and while the caller is 16 items behind.
    ///
    /// # Errors
    ///
    /// [`ItemError`].
    pub fn send(&mut self, item: &I::Borrowed<'_>) -> Result<(), ItemError> {
        let waker = waker();
        let id = loop {
            match self.poll_credit(&waker) {
                Poll::Ready(id) => break id?,
                Poll::Pending => park_until(self.deadline()),
            }
        };
        self.send_credited(id, item)
    }

    /// Sends an item for which there is credit. The credit stays if it is not sent.
    pub(crate) fn send_credited(&self, id: u64, item: &I::Borrowed<'_>) -> Result<(), ItemError> {
        let sent = self.session.item(id, item);
        sent.inspect_err(|_| self.running.add_credit(1)).map_err(ItemError::NotSent)
    }

    /// Takes the credit for one item when there is room, or stores the waker. Returns the id of the call.
    pub(crate) fn poll_credit(&self, waker: &Waker) -> Poll<Result<u64, ItemError>> {
        let id = self.id.filter(|_| !self.session.is_broken());
        let Some(id) = id else { return Poll::Ready(Err(ItemError::Stopped)) };
        let polled = match self.session.poll_room(waker) {
            Poll::Ready(()) => self.running.poll_credit(waker),
            // The call may be cancelled before there is credit.
            Poll::Pending => self.running.poll_over(waker).map(|()| false),
        };
        polled.map(|is_wanted| match is_wanted {
            true => Ok(id),
            false => Err(ItemError::Stopped),
        })
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.running.deadline()
    }

    /// Encodes an item, to be sent later.
    pub(crate) fn hold(&self, item: &I::Borrowed<'_>) -> Result<HeldFrame, SendError> {
        self.session.hold_item(self.id.unwrap_or_default(), item)
    }

    /// Sends an item for which there is credit, and which was encoded earlier.
    pub(crate) fn send_held(&self, item: HeldFrame) {
        self.session.held_item(item);
    }
}

impl<I> Drop for ItemSender<I> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        if self.is_handled && !thread::panicking() && self.running.leave_to_handler() {
            return;
        }
        self.finish(id, Status::Failed);
    }
}

impl<I> fmt::Debug for ItemSender<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemSender").field("id", &self.id).finish_non_exhaustive()
    }
}
