//! The destination of the datagrams of calls: a socket, or memory.

use std::io::IoSlice;
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};

use crate::backlog::Datagram;
use crate::calls::memory::Memory;
use crate::calls::protocol::Encoded;
use crate::error::SendError;
use crate::sender::Sender;
use crate::transport::Outgoing;
use crate::wait::Wait;

/// The destination of datagrams.
#[derive(Debug)]
pub(super) enum Sink {
    Socket(Sender<Encoded>),
    Memory(Memory),
}

impl Sink {
    /// Sends a datagram, or the rest of one that `is_begun`, as far as there is room. Sets `is_begun` if a part was
    /// sent.
    pub(super) fn send(
        &mut self,
        datagram: &mut Datagram,
        is_begun: &mut bool,
    ) -> Result<(), SendError> {
        match self {
            Self::Socket(sender) => send(sender, datagram, is_begun),
            Self::Memory(memory) => memory.push(datagram),
        }
    }

    pub(super) fn shutdown(&self) {
        if let Self::Socket(sender) = self {
            // Fails only if the connection has ended.
            _ = sender.shutdown(Shutdown::Both);
        }
    }
}

/// Sends a datagram, or the rest of one that `is_begun`: see [`Sender::pending`]. Before the datagram begins, a pending
/// rest belongs to a previous owner of the sender.
fn send(
    sender: &mut Sender<Encoded>,
    datagram: &mut Datagram,
    is_begun: &mut bool,
) -> Result<(), SendError> {
    if !*is_begun {
        let (bytes, descriptors) = datagram.content();
        let (slices, len) = ([IoSlice::new(bytes)], bytes.len());
        let descriptors: Vec<_> = descriptors.iter().map(OwnedFd::as_fd).collect();
        let outgoing = Outgoing { slices: &slices, descriptors: &descriptors, len };
        sender.send_outgoing(outgoing, Wait::Try)?;
        *is_begun = true;
    }
    sender.flush(Wait::Try)
}
