//! `recv` into a fixed buffer, and bincode by hand: a message for each socket that epoll tells.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::raw;

use super::{Buffers, Crowd, Sockets, Tally};
use crate::epoll::Epoll;
use crate::message::Note;
use crate::ways::codec;

/// As long as in the other workloads. What is not touched of it costs nothing.
const BUFFER: usize = 128 * 1024;

struct Plain {
    clients: Vec<OwnedFd>,
    servers: Vec<OwnedFd>,
    /// One for each connection, or one.
    buffers: Vec<Buffer>,
    outgoing: Buffer,
    epoll: Epoll,
    _parked: Option<(OwnedFd, OwnedFd)>,
}

pub(super) fn gather(sockets: Sockets, buffers: Buffers) -> Result<Box<dyn Crowd>> {
    let Sockets { clients, servers, _parked } = sockets;
    let epoll = Epoll::new()?;
    for (number, server) in servers.iter().enumerate() {
        epoll.add(server.as_fd(), number)?;
    }
    let count = if buffers == Buffers::Shared { 1 } else { servers.len() };
    let buffers = (0..count).map(|_| Buffer::new(BUFFER)).collect::<io::Result<_>>()?;
    let outgoing = Buffer::new(BUFFER)?;
    Ok(Box::new(Plain { clients, servers, buffers, outgoing, epoll, _parked }))
}

impl Crowd for Plain {
    fn clients(&self) -> usize {
        self.clients.len()
    }

    fn send(&mut self, to: usize, note: Note<'static>) -> Result<()> {
        let client = self.clients.get(to).context("no such connection")?;
        raw::send(client.as_fd(), codec::encode(&note, &mut self.outgoing)?)?;
        Ok(())
    }

    fn serve(&mut self, tally: &mut Tally) -> Result<()> {
        let Self { servers, buffers, epoll, .. } = self;
        while tally.waits() {
            epoll.wait(|number| -> Result<()> {
                let server = servers.get(number).context("no such connection")?;
                let which = number % buffers.len();
                let buffer = buffers.get_mut(which).context("no such buffer")?;
                let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
                let len = raw::recv(server.as_fd(), buffer, flags)?;
                tally.came(codec::note(buffer.get(..len).context("a datagram was cut")?)?);
                Ok(())
            })?;
        }
        Ok(())
    }
}
