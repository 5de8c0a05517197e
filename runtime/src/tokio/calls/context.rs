//! Waits for a call to be cancelled, or for its server to stop.

use std::future::poll_fn;

use ::tokio::time::timeout_at;

use crate::calls::{Context, Watchers};

impl Context {
    /// Waits until the caller no longer waits for the answer: see [`is_cancelled`](Self::is_cancelled).
    ///
    /// ```
    /// use datagrammar::calls::Context;
    ///
    /// async fn watch(cx: &Context, work: impl Future<Output = u64>) -> Option<u64> {
    ///     tokio::select! {
    ///         result = work => Some(result),
    ///         () = cx.cancelled() => None,
    ///     }
    /// }
    /// ```
    pub async fn cancelled(&self) {
        let running = self.running();
        let cancelled = wait(running.watchers(), || running.is_over());
        match self.deadline() {
            None => cancelled.await,
            Some(deadline) => _ = timeout_at(deadline.into(), cancelled).await,
        }
    }

    /// Waits until the server stops: see [`is_stopping`](Self::is_stopping).
    ///
    /// ```
    /// use datagrammar::Message;
    /// use datagrammar::calls::Context;
    /// use datagrammar::tokio::calls::ItemSender;
    /// use futures_util::{Stream, StreamExt as _};
    ///
    /// #[derive(Message)]
    /// #[message(tag = 1)]
    /// struct Change<'a>(&'a str);
    ///
    /// /// Sends changes until the caller goes or the server stops.
    /// async fn watch(
    ///     cx: &Context,
    ///     mut changes: impl Stream<Item = String> + Unpin,
    ///     mut items: ItemSender<Change<'static>>,
    /// ) {
    ///     loop {
    ///         let change = tokio::select! {
    ///             Some(change) = changes.next() => change,
    ///             () = cx.cancelled() => return,
    ///             () = cx.stopping() => return,
    ///         };
    ///         if items.send(&Change(&change)).await.is_err() {
    ///             return;
    ///         }
    ///     }
    /// }
    /// ```
    pub async fn stopping(&self) {
        let caller = self.running().caller();
        wait(caller.watchers(), || caller.is_stopping()).await;
    }
}

/// Waits until an event `has_happened`, which wakes `watchers`.
async fn wait(watchers: &Watchers, has_happened: impl Fn() -> bool) {
    let mut watch = watchers.watch();
    poll_fn(|cx| watch.poll(cx.waker(), &has_happened)).await;
}
