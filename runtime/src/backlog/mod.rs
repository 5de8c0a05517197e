//! Datagrams that wait to be sent: bundles, and long frames between them.

mod pool;
mod queued;

#[cfg(feature = "tokio")]
pub(crate) use self::queued::room;
pub(crate) use self::queued::{Backlog, Datagram, HeldFrame};
