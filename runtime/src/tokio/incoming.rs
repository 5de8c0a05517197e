//! Accepted connections as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::connection::Connection;
use super::listener::Listener;
use crate::error::AcceptError;
use crate::message::Message;

type Accept<'l, Tx, Rx> =
    Pin<Box<dyn Future<Output = Result<Connection<Tx, Rx>, AcceptError>> + Send + 'l>>;

/// A stream of accepted connections: see [`Listener::incoming`].
#[must_use = "a stream does nothing unless it is polled"]
pub struct Incoming<'l, Tx, Rx> {
    listener: &'l Listener<Tx, Rx>,
    accept: Option<Accept<'l, Tx, Rx>>,
    is_done: bool,
}

impl<Tx: Message, Rx: Message> Listener<Tx, Rx> {
    /// Returns a stream of accepted connections. It ends after [`shutdown`](Self::shutdown), and after an error
    /// that is [fatal](AcceptError::is_fatal).
    ///
    /// ```
    /// use datagrammar::Message;
    /// use datagrammar::tokio::{Connection, Listener};
    /// use futures_util::StreamExt as _;
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let address = "unix:@datagrammar-doc-tokio-incoming".parse()?;
    /// let listener = Listener::<Ping, Ping>::bind(&address)?;
    /// let _client = Connection::<Ping, Ping>::connect(&address).await?;
    /// listener.shutdown()?;
    ///
    /// let mut incoming = listener.incoming();
    /// let mut served = 0;
    /// while let Some(connection) = incoming.next().await {
    ///     drop(connection?); // serve it in a task of its own
    ///     served += 1;
    /// }
    /// assert_eq!(served, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn incoming(&self) -> Incoming<'_, Tx, Rx> {
        Incoming { listener: self, accept: None, is_done: false }
    }
}

impl<Tx: Message, Rx: Message> Stream for Incoming<'_, Tx, Rx> {
    type Item = Result<Connection<Tx, Rx>, AcceptError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let listener = self.listener;
        let accept = self.accept.get_or_insert_with(|| Box::pin(listener.accept()));
        let accepted = ready!(accept.as_mut().poll(cx));
        self.accept = None;
        self.is_done = accepted.as_ref().is_err_and(AcceptError::is_fatal);
        Poll::Ready(match accepted {
            Err(AcceptError::Shutdown) => None,
            accepted => Some(accepted),
        })
    }
}

impl<Tx, Rx> fmt::Debug for Incoming<'_, Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("listener", &self.listener).finish_non_exhaustive()
    }
}
