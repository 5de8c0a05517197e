//! The items that answer a call.

use std::fmt;
use std::time::Instant;

use super::begun::Begun;
use crate::calls::protocol::Protocol;
use crate::calls::trace::SpanOutcome;
use crate::error::CallError;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;

/// The items that answer a call, one after the other.
///
/// Dropping this cancels the call.
///
/// The server sends at most 16 items ahead of the reader, so a slow reader slows down the server.
#[must_use = "dropping it cancels the call"]
pub struct Items<P: Protocol, I> {
    call: Begun<P>,
    /// The last item.
    item: Option<OwnedFrame<I>>,
}

impl<P: Protocol, I> Items<P, I> {
    pub(super) fn new(call: Begun<P>) -> Self {
        Self { call, item: None }
    }
}

impl<P: Protocol, I: Message> Items<P, I> {
    /// Waits for the next item, and lends it until the next call of this method. Returns `None` after the last item.
    ///
    /// # Errors
    ///
    /// A [`CallError`]. After all but [`CallError::Decode`], there are no more items.
    pub fn recv(&mut self) -> Result<Option<I::Borrowed<'_>>, CallError> {
        self.item = None;
        if self.call.has_ended() {
            return Ok(None);
        }
        let received = self.call.wait_for_item();
        if !matches!(received, Ok(Some(_))) {
            self.call.end(|| SpanOutcome::of_result(&received));
        }
        let Some(part) = received? else { return Ok(None) };
        let item = self.item.insert(part.into_frame());
        item.decode().map(Some).map_err(CallError::Decode)
    }
}

impl<P: Protocol, I> Items<P, I> {
    /// Waits until [`recv`](Self::recv) can return at once (with an item, the end, or an error), or until `deadline`.
    /// Returns whether it can. With a deadline that has passed, this receives what is already in the socket, and only
    /// checks. Takes `&mut self` because only one thread can wait.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use std::time::{Duration, Instant};
    ///
    /// use datagrammar::calls::{CallError, Items};
    /// use datagrammar::{Message, Protocol};
    ///
    /// #[derive(Message, Protocol)]
    /// enum News {
    ///     #[message(tag = 1, items = Headline<'_>)]
    ///     Follow,
    /// }
    ///
    /// #[derive(Message)]
    /// #[message(tag = 1)]
    /// struct Headline<'a>(&'a str);
    ///
    /// /// Prints news until another thread sets `stop`.
    /// fn follow(client: &NewsClient, stop: &AtomicBool) -> Result<(), CallError> {
    ///     let mut news = client.follow()?;
    ///     while !stop.load(Ordering::Relaxed) {
    ///         if !news.wait_deadline(Instant::now() + Duration::from_millis(100)) {
    ///             continue;
    ///         }
    ///         let Some(Headline(text)) = news.recv()? else { break };
    ///         println!("{text}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn wait_deadline(&mut self, deadline: Instant) -> bool {
        self.call.wait_deadline(deadline)
    }
}

impl<P: Protocol, I> fmt::Debug for Items<P, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Items").field(&self.call).finish()
    }
}
