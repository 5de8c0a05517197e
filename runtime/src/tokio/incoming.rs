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

impl<'l, Tx: Message, Rx: Message> Incoming<'l, Tx, Rx> {
    pub(super) fn new(listener: &'l Listener<Tx, Rx>) -> Self {
        Self { listener, accept: None, is_done: false }
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
