//! Listeners: accept connections, and convert from the blocking ones.

mod conversion;
mod endpoint;

pub use self::endpoint::Listener;
