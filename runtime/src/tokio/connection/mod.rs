//! Connections: opens them, sends and receives, and converts from the blocking ones.

mod conversion;
mod endpoint;

pub use self::endpoint::Connection;
