//! The trait that derived services implement.

use super::call::Call;
use crate::calls::protocol::Protocol;

/// What a [`Server`](super::Server) calls. The derive makes a type that implements it around a handler.
pub trait Service: Send + Sync {
    /// The protocol.
    type Protocol: Protocol;

    /// Handles a call.
    fn handle(&self, call: Call<Self::Protocol>);
}
