//! Datagrams that wait to be sent: bundles, and long frames between them.

mod pool;
mod queued;

pub(crate) use self::queued::{Backlog, Datagram, HeldFrame};
