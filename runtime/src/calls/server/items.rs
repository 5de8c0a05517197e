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
use crate::error::SendError;
use crate::message::Message;
use crate::outbox;
use crate::wire::CallHead;
use crate::wire::CallKind;

/// Why an item was not sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ItemError {
    /// Nobody wants more items: the caller has cancelled the call or is gone, or its deadline has passed.
    #[error("the caller wants no more items: it has cancelled or gone, or its deadline has passed")]
    Stopped,
    /// The item cannot be encoded.
    #[error("the item was not sent")]
    NotSent(#[source] SendError),
}

/// Answers a call with items, each of which may borrow from whatever the handler holds. Dropping it ends them; while
/// the thread panics, the caller gets [`CallError::Failed`](crate::calls::CallError::Failed).
pub struct ItemSender<I> {
    session: Arc<Session>,
    running: Arc<Running>,
    id: Option<u64>,
    item: PhantomData<fn(I)>,
}

impl<I> ItemSender<I> {
    pub(super) fn new(session: Arc<Session>, running: Arc<Running>, id: Option<u64>) -> Self {
        Self { session, running, id, item: PhantomData }
    }
}

impl<I: Message> ItemSender<I> {
    /// Sends an item, and waits while the caller has not taken enough of those before.
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
        self.session.item(id, item).map_err(ItemError::NotSent)
    }

    /// Takes the credit for one item once there is room, or stores who waits for it. Returns the id of the call.
    pub(crate) fn poll_credit(&self, waker: &Waker) -> Poll<Result<u64, ItemError>> {
        let Some(id) = self.id else { return Poll::Ready(Err(ItemError::Stopped)) };
        let polled = match self.session.poll_room(waker) {
            Poll::Ready(()) => self.running.poll_credit(waker),
            // The call may be cancelled before there is some.
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
        let head = CallHead { kind: CallKind::Item, number: 0, id: self.id.unwrap_or_default() };
        outbox::send_part(head, item, |part| HeldFrame::copy(part, Vec::new()))
    }

    /// Sends an item for which there is credit.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }
}

impl<I> Drop for ItemSender<I> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let status = match () {
                () if thread::panicking() => Status::Failed,
                () if self.running.is_over() => Status::TimedOut,
                () => Status::Done,
            };
            self.session.finish(id, CallKind::End, status);
        }
    }
}

impl<I> fmt::Debug for ItemSender<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemSender").field("id", &self.id).finish_non_exhaustive()
    }
}
