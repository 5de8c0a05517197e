//! The items that answer a call.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use ::tokio::time::{Sleep, sleep_until};
use futures_core::Stream;

use super::link::Handle;
use crate::calls::{CallError, SpanOutcome, Trace};
use crate::message::Message;
use crate::owned_frame::OwnedFrame;

/// The items that answer a call, one after the other.
///
/// Dropping this cancels the call. See [`Items`](crate::calls::Items).
///
/// It is also a [`Stream`][stream] of [`OwnedFrame`]s, which ends after an error.
///
/// [stream]: https://docs.rs/futures-core/latest/futures_core/stream/trait.Stream.html
#[must_use = "dropping it cancels the call"]
pub struct Items<P, I> {
    handle: Arc<Handle>,
    id: u64,
    deadline: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// The last item.
    item: Option<OwnedFrame<I>>,
    is_done: bool,
    trace: Trace,
    protocol: PhantomData<fn() -> P>,
}

impl<P, I> Items<P, I> {
    pub(super) fn new(
        handle: Arc<Handle>,
        id: u64,
        deadline: Option<Instant>,
        trace: Trace,
    ) -> Self {
        let protocol = PhantomData;
        let items =
            Self { handle, id, deadline, timer: None, item: None, is_done: false, trace, protocol };
        items.trace.id(id);
        items
    }
}

impl<P, I: Message> Items<P, I> {
    /// Waits for the next item, and lends it until the next call of this method. Returns `None` after the last item.
    /// Cancel-safe: dropping the future loses no item.
    ///
    /// # Errors
    ///
    /// A [`CallError`]. After all but [`CallError::Decode`], there are no more items.
    pub async fn recv(&mut self) -> Result<Option<I::Borrowed<'_>>, CallError> {
        self.item = None;
        let Some(item) = poll_fn(|cx| self.poll_item(cx)).await else { return Ok(None) };
        self.item.insert(item?).decode().map(Some).map_err(CallError::Decode)
    }

    fn poll_item(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<OwnedFrame<I>, CallError>>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let received = match self.handle.0.core.poll_item(self.id, cx.waker()) {
            Poll::Ready(received) => received,
            Poll::Pending if self.poll_deadline(cx).is_pending() => return Poll::Pending,
            Poll::Pending => {
                self.handle.0.cancel(self.id);
                Err(CallError::TimedOut)
            }
        };
        self.is_done = !matches!(received, Ok((Some(_), _)));
        if self.is_done {
            self.trace.take().end(|| SpanOutcome::of_result(&received));
        }
        if self.handle.0.core.follow_up(self.id, &received) {
            self.handle.0.bell.ring();
        }
        Poll::Ready(match received {
            Ok((item, _)) => item.map(|part| Ok(part.into_frame())),
            Err(error) => Some(Err(error)),
        })
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline.into())));
        timer.as_mut().poll(cx)
    }
}

impl<P, I: Message> Stream for Items<P, I> {
    type Item = Result<OwnedFrame<I>, CallError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(cx)
    }
}

impl<P, I> Unpin for Items<P, I> {}

impl<P, I> Drop for Items<P, I> {
    fn drop(&mut self) {
        if !self.is_done {
            self.handle.0.cancel(self.id);
            self.trace.take().end(|| SpanOutcome::CANCELLED);
        }
    }
}

impl<P, I> fmt::Debug for Items<P, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("id", &self.id).finish_non_exhaustive()
    }
}
