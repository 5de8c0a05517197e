//! The trait that derived services implement.

use std::sync::Arc;

use crate::calls::{Call, Protocol};

/// What a [`Server`](super::Server) calls. The derive makes a type that implements it around a handler.
pub trait Service: Send + Sync + 'static {
    /// The protocol.
    type Protocol: Protocol + 'static;

    /// Handles a call.
    fn handle(
        self: Arc<Self>,
        call: Call<Self::Protocol>,
    ) -> impl Future<Output = ()> + Send + 'static;
}
