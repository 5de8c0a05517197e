//! The trait that derived services implement.

use std::sync::Arc;

use crate::calls::{Call, Protocol};

/// A service that a [`Server`](super::Server) calls.
///
/// The derive generates an implementation that wraps a handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service for `datagrammar::tokio::calls::Server`",
    label = "wrap the handler in the service that the derive makes, as in `NumbersTokioService(handler)`",
    note = "a `…Service` is for `datagrammar::calls::Server`"
)]
pub trait Service: Send + Sync + 'static {
    /// The protocol.
    type Protocol: Protocol + 'static;

    /// Handles a call.
    fn handle(
        self: Arc<Self>,
        call: Call<Self::Protocol>,
    ) -> impl Future<Output = ()> + Send + 'static;
}

/// A shared service, so that the program can look at the state of its handler: see [`Service`](crate::calls::Service).
impl<S: Service> Service for Arc<S> {
    type Protocol = S::Protocol;

    fn handle(
        self: Arc<Self>,
        call: Call<S::Protocol>,
    ) -> impl Future<Output = ()> + Send + 'static {
        S::handle(Self::clone(&self), call)
    }
}
