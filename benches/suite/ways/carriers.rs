//! The ways of moving a message with a descriptor.

mod ipc_channel;
mod plain;
mod tokio_seqpacket;
mod typed;

use std::os::fd::BorrowedFd;

use anyhow::{Result, bail};

use super::Way;
use crate::feed::Inbox;
use crate::message::Note;

/// Both ends of a connection that carries descriptors.
pub(crate) trait Carrier {
    /// Sends a message with a descriptor at the one end.
    fn send(&mut self, note: Note<'static>, fd: BorrowedFd<'_>) -> Result<()>;

    /// Receives one at the other end, and closes its descriptor.
    fn receive(&mut self, inbox: &mut Inbox) -> Result<()>;
}

/// Connects two ends.
pub(crate) fn connect(way: Way) -> Result<Box<dyn Carrier>> {
    match way {
        Way::TypedEach => typed::connect(),
        Way::Buffered => plain::connect(),
        Way::IpcChannel => ipc_channel::connect(),
        Way::TokioSeqpacket => tokio_seqpacket::connect(),
        _ => bail!("{} is not made to carry descriptors here", way.title()),
    }
}
