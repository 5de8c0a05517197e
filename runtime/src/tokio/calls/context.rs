//! Waits for a call to be cancelled.

use std::future::poll_fn;

use ::tokio::time::timeout_at;

use crate::calls::Context;

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
        let cancelled = poll_fn(|cx| self.running().poll_cancelled(cx.waker()));
        match self.deadline() {
            None => cancelled.await,
            Some(deadline) => _ = timeout_at(deadline.into(), cancelled).await,
        }
    }
}
