//! The items of one call.

use std::fmt;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use ::tokio::time::timeout_at;

use crate::calls::{self, ItemError};
use crate::message::Message;

/// Answers a call with items.
///
/// See [`ItemSender`](crate::calls::ItemSender).
#[must_use = "dropping it may tell the caller that the handler has failed"]
pub struct ItemSender<I>(calls::ItemSender<I>);

impl<I> From<calls::ItemSender<I>> for ItemSender<I> {
    fn from(sender: calls::ItemSender<I>) -> Self {
        Self(sender)
    }
}

impl<I> ItemSender<I> {
    /// Tells the caller that there are no more items.
    pub fn end(self) {
        self.0.end();
    }
}

impl<I: Message> ItemSender<I> {
    /// Sends an item. The item is encoded before this returns. The future waits for room, and while the caller is 16
    /// items behind. If the future is dropped before it is ready, the item is not sent.
    ///
    /// # Errors
    ///
    /// [`ItemError`].
    pub fn send<'s>(
        &'s mut self,
        item: &I::Borrowed<'_>,
    ) -> impl Future<Output = Result<(), ItemError>> + Send + use<'s, I> {
        let Self(sender) = self;
        let begun = match sender.poll_credit(Waker::noop()) {
            Poll::Ready(Ok(id)) => Ok(Some(sender.send_credited(id, item))),
            Poll::Ready(Err(stopped)) => Err(stopped),
            Poll::Pending => Ok(None),
        };
        let begun = begun.map(|sent| sent.ok_or_else(|| sender.hold(item)));
        let sender = &*sender;
        async move {
            let held = match begun? {
                Ok(sent) => return sent,
                Err(held) => held.map_err(ItemError::NotSent)?,
            };
            let credit = poll_fn(|cx| sender.poll_credit(cx.waker()));
            match sender.deadline() {
                None => credit.await?,
                Some(deadline) => {
                    timeout_at(deadline.into(), credit).await.unwrap_or(Err(ItemError::Stopped))?
                }
            };
            sender.send_held(held);
            Ok(())
        }
    }
}

impl<I> fmt::Debug for ItemSender<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
