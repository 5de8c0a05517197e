//! Connections: one peer, both directions, frames in order, and an end.

mod endpoint;
mod handover;

pub use self::endpoint::Connection;
