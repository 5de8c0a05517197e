//! Items of a call without a socket.

use std::fmt;

use super::received::ReceivedItems;
use crate::error::CallError;
use crate::message::Message;

/// The items that a service sends to [`Direct::items`](super::Direct::items).
///
/// Dropping this cancels the call.
///
/// ```
/// use datagrammar::calls::{Context, Direct, DirectItems, ItemSender};
/// use datagrammar::{Message, Protocol};
///
/// #[derive(Message, Protocol)]
/// enum Numbers {
///     #[message(tag = 1, items = Number)]
///     Count { to: u64 },
/// }
///
/// #[derive(Message)]
/// #[message(tag = 1)]
/// struct Number(u64);
///
/// struct Counter;
///
/// impl NumbersHandler for Counter {
///     fn count(&self, _cx: &Context, to: u64, mut items: ItemSender<Number>) {
///         for number in 0..to {
///             if items.send(&Number(number)).is_err() {
///                 break; // the caller wants no more
///             }
///         }
///     }
/// }
///
/// let direct = Direct::new(NumbersService(Counter));
/// let mut items: DirectItems<Number> = direct.items(&Numbers::Count { to: 1 })?;
/// assert_eq!(items.recv()?.map(|item| item.0), Some(0));
/// assert!(items.recv()?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping it cancels the call"]
pub struct DirectItems<I>(pub(super) ReceivedItems<I>);

impl<I: Message> DirectItems<I> {
    /// Waits for the next item, and lends it until the next call of this method. Returns `None` after the last item.
    ///
    /// # Errors
    ///
    /// A [`CallError`]. After all but [`CallError::Decode`], there are no more items.
    pub fn recv(&mut self) -> Result<Option<I::Borrowed<'_>>, CallError> {
        let Some(outputs) = self.0.next_output() else { return Ok(None) };
        let sent = outputs.recv();
        self.0.take(sent)
    }
}

impl<I> fmt::Debug for DirectItems<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirectItems").field(&self.0).finish()
    }
}
