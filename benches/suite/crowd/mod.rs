//! A server with many connections, as each way has it.

mod ipc_channel;
mod plain;
mod tokio_seqpacket;
mod typed;

use std::hint::black_box;
use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Result, bail, ensure};
use datagrammar_benches::{raw, rights};

use crate::limits;
use crate::message::{Held, Note};
use crate::ways::Way;

/// A server with many connections, and what is sent to it.
pub(crate) trait Crowd {
    /// How many of the connections, the first ones, have a client that can send.
    fn clients(&self) -> usize;

    /// The client of connection number `to` sends a message.
    fn send(&mut self, to: usize, note: Note<'static>) -> Result<()>;

    /// The server waits for messages on all connections, until `tally` says that all have come.
    fn serve(&mut self, tally: &mut Tally) -> Result<()>;
}

/// Which buffers the server has, where that is for the program to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Buffers {
    /// One for all connections.
    Shared,
    /// One for each.
    Each,
}

/// The sockets of a crowd, which are there before what is measured begins.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    clients: Vec<OwnedFd>,
    servers: Vec<OwnedFd>,
    /// Where the clients are that this process may have no descriptors of: on their way to nobody.
    _parked: Option<(OwnedFd, OwnedFd)>,
}

impl Sockets {
    /// So many that are connected; none for a way that makes its own.
    pub(crate) fn new(way: Way, count: usize) -> Result<Self> {
        let allowed = limits::allow_descriptors(descriptors(count))?;
        let mut sockets = Self::default();
        if way == Way::IpcChannel {
            return Ok(sockets);
        }
        let room = allowed.saturating_sub(count + SPARE);
        let parking = raw::pair()?;
        for _ in 0..count {
            let (client, server) = raw::pair()?;
            sockets.servers.push(server);
            if sockets.clients.len() < room {
                sockets.clients.push(client);
            } else {
                rights::send(parking.0.as_fd(), &[0], client.as_fd())?;
            }
        }
        sockets._parked = Some(parking);
        Ok(sockets)
    }
}

/// Descriptors that are no connections'.
const SPARE: usize = 64;

/// How many descriptors there are with so many connections, of which both ends are here.
pub(crate) fn descriptors(connections: usize) -> usize {
    2 * connections + SPARE
}

/// Makes the server.
pub(crate) fn gather(
    way: Way,
    count: usize,
    sockets: Sockets,
    buffers: Buffers,
) -> Result<Box<dyn Crowd>> {
    match way {
        Way::TypedEach => typed::gather(sockets),
        Way::Buffered => plain::gather(sockets, buffers),
        Way::IpcChannel => ipc_channel::gather(count),
        Way::TokioSeqpacket => tokio_seqpacket::gather(sockets),
        _ => bail!("{} is not made to have many connections here", way.title()),
    }
}

/// What has come of what was sent. Connections are served in any order.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    messages: i64,
    seqs: u64,
    bytes: u64,
}

impl Tally {
    pub(crate) fn sent(&mut self, Note::Sample { seq, payload }: Note<'_>) {
        self.messages += 1;
        self.seqs = self.seqs.wrapping_add(seq);
        self.bytes = self.bytes.wrapping_add(payload.len() as u64);
    }

    pub(crate) fn came(&mut self, Note::Sample { seq, payload }: Note<'_>) {
        self.messages -= 1;
        self.seqs = self.seqs.wrapping_sub(black_box(seq));
        self.bytes = self.bytes.wrapping_sub(black_box(payload.len() as u64));
    }

    pub(crate) fn came_held(&mut self, Held::Sample { seq, payload }: &Held) {
        self.came(Note::Sample { seq: *seq, payload: &payload.0 });
    }

    /// Whether there is something to wait for.
    pub(crate) fn waits(&self) -> bool {
        self.messages > 0
    }

    /// Checks that what came is what was sent.
    pub(crate) fn check(&self) -> Result<()> {
        let Self { messages, seqs, bytes } = self;
        ensure!((*messages, *seqs, *bytes) == (0, 0, 0), "something else came: {self:?}");
        Ok(())
    }
}
