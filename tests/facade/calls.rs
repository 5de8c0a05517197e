//! Calls: a blocking client, and a server whose handlers block.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use datagrammar::tokio::calls as awaited;
use datagrammar::{Error, Message, Peer, RecvError};

pub use datagrammar::calls::*;

use crate::connection::Connection;
use crate::runtime::{block_on, enter};

/// See [`datagrammar::calls::Client`].
#[derive(Debug)]
pub struct Client<P>(awaited::Client<P>);

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<P: Protocol + 'static> Client<P> {
    pub fn new(connection: Connection<P, Answers<P>>) -> Self {
        let connection = connection.into_awaited();
        Self(enter(|| awaited::Client::new(connection)))
    }

    #[must_use]
    pub fn deadline(&self, deadline: Instant) -> Self {
        Self(self.0.deadline(deadline))
    }

    pub fn notify(&self, request: &P::Borrowed<'_>) -> Result<(), CallError> {
        block_on(self.0.notify(request))
    }

    pub fn call<R: Reply + 'static>(
        &self,
        request: &P::Borrowed<'_>,
    ) -> Result<Answer<R>, CallError> {
        block_on(self.0.call(request))
    }

    pub fn start<R: Reply + 'static>(
        &self,
        request: &P::Borrowed<'_>,
    ) -> Result<PendingCall<R>, CallError> {
        Ok(PendingCall { _call: Box::pin(self.0.call(request)) })
    }

    pub fn items<I: Message + 'static>(
        &self,
        request: &P::Borrowed<'_>,
    ) -> Result<Items<P, I>, CallError> {
        enter(|| self.0.items(request)).map(Items)
    }

    pub fn in_flight(&self) -> usize {
        self.0.in_flight()
    }

    pub fn dropped(&self) -> u64 {
        self.0.dropped()
    }
}

impl<P> Clone for Client<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// See [`datagrammar::calls::PendingCall`].
pub struct PendingCall<R> {
    /// Cancels the call when it is dropped.
    _call: Pin<Box<dyn Future<Output = Result<Answer<R>, CallError>> + Send>>,
}

impl<R> fmt::Debug for PendingCall<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingCall").finish_non_exhaustive()
    }
}

/// See [`datagrammar::calls::Items`].
#[derive(Debug)]
pub struct Items<P, I>(awaited::Items<P, I>);

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<P, I: Message> Items<P, I> {
    pub fn recv(&mut self) -> Result<Option<I::Borrowed<'_>>, CallError> {
        block_on(self.0.recv())
    }
}

/// See [`datagrammar::calls::Server`]. Handlers run on threads for code that blocks.
pub struct Server<S>(awaited::Server<Blocking<S>>);

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<S: Service + 'static> Server<S> {
    pub fn new(service: S) -> Self {
        Self(awaited::Server::new(Blocking(Arc::new(service)))).threads(8)
    }

    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self(self.0.calls(threads))
    }

    #[must_use]
    pub fn streams(self, streams: usize) -> Self {
        Self(self.0.streams(streams))
    }

    #[must_use]
    pub fn on_error(self, tell: impl Fn(Option<&Peer>, &Error) + Send + Sync + 'static) -> Self {
        Self(self.0.on_error(tell))
    }

    pub fn stopper(&self) -> Stopper {
        Stopper(self.0.stopper())
    }

    pub fn serve(
        &self,
        connection: Connection<Answers<S::Protocol>, S::Protocol>,
    ) -> Result<(), RecvError>
    where
        S::Protocol: 'static,
    {
        block_on(self.0.serve(connection.into_awaited()))
    }
}

impl<S> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// See [`datagrammar::calls::Stopper`].
#[derive(Debug, Clone)]
pub struct Stopper(awaited::Stopper);

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl Stopper {
    pub fn stop(&self, deadline: Instant) -> usize {
        block_on(self.0.stop(deadline))
    }
}

/// Calls the handlers of a blocking service.
struct Blocking<S>(Arc<S>);

impl<S: Service + 'static> awaited::Service for Blocking<S>
where
    S::Protocol: 'static,
{
    type Protocol = S::Protocol;

    async fn handle(self: Arc<Self>, call: Call<S::Protocol>) {
        let service = Arc::clone(&self.0);
        // A handler that panics has already answered.
        _ = tokio::task::spawn_blocking(move || service.handle(call)).await;
    }
}
