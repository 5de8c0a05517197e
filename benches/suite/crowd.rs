//! A server with many connections in one epoll.

use std::io;
use std::mem;
use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result, ensure};
use datagrammar::{RecvError, to_vec};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::{raw, rights};

use crate::epoll::Epoll;
use crate::limits;
use crate::message::Note;
use crate::ways::typed::Ours;
use crate::ways::{Way, codec};

/// Descriptors for everything except connections.
const SPARE: usize = 64;

const BUFFER: usize = 128 * 1024;

/// Clients with a connection each, and the sockets that the server takes over. Clients are plain sockets that send a
/// frame that was encoded before, so that ways differ only in the server.
pub(crate) struct Sockets {
    clients: Vec<OwnedFd>,
    /// In flight to nobody: the clients for which this process may have no descriptors.
    _parked: (OwnedFd, OwnedFd),
    frame: Vec<u8>,
    payload_len: usize,
    servers: Vec<OwnedFd>,
}

impl Sockets {
    pub(crate) fn new(way: Way, count: usize, note: &Note<'_>) -> Result<Self> {
        let Note::Sample { payload, .. } = note;
        let frame = match way {
            Way::Plain => codec::encode(note, &mut Buffer::new(BUFFER)?)?.to_vec(),
            _ => to_vec(note)?,
        };
        let (mut clients, mut servers, parked) = (Vec::new(), Vec::new(), raw::pair()?);
        let allowed = limits::allow_descriptors(2 * count + SPARE)?;
        for _ in 0..count {
            let (client, server) = raw::pair()?;
            servers.push(server);
            if clients.len() + count + SPARE < allowed {
                clients.push(client);
            } else {
                rights::send(parked.0.as_fd(), &[0], client.as_fd())?;
            }
        }
        Ok(Self { clients, _parked: parked, frame, payload_len: payload.len(), servers })
    }

    /// Takes the sockets of the server.
    pub(crate) fn take_servers(&mut self) -> Vec<OwnedFd> {
        mem::take(&mut self.servers)
    }

    /// How many connections, the first ones, have a client that can send.
    pub(crate) fn clients(&self) -> usize {
        self.clients.len()
    }

    /// The client of a connection sends a frame.
    pub(crate) fn send(&self, number: usize) -> Result<()> {
        let client = self.clients.get(number).context("no such connection")?;
        raw::send(client.as_fd(), &self.frame)?;
        Ok(())
    }
}

/// The server and its clients.
pub(crate) struct Crowd {
    sockets: Sockets,
    server: Server,
    epoll: Epoll,
}

enum Server {
    Typed(Vec<Ours>),
    /// With one buffer for all connections.
    Plain(Vec<OwnedFd>, Buffer),
}

impl Crowd {
    pub(crate) fn new(way: Way, mut sockets: Sockets) -> Result<Self> {
        let epoll = Epoll::new()?;
        for (number, server) in sockets.servers.iter().enumerate() {
            epoll.add(server.as_fd(), number)?;
        }
        let server = if way == Way::Plain {
            Server::Plain(mem::take(&mut sockets.servers), Buffer::new(BUFFER)?)
        } else {
            // Neither vector grows or is freed, so that only the connections are counted.
            let mut adopted = Vec::with_capacity(sockets.servers.len());
            for server in sockets.servers.drain(..) {
                adopted.push(Ours::adopt(server)?);
            }
            Server::Typed(adopted)
        };
        Ok(Self { sockets, server, epoll })
    }

    /// As [`Sockets::clients`].
    pub(crate) fn clients(&self) -> usize {
        self.sockets.clients()
    }

    /// As [`Sockets::send`].
    pub(crate) fn send(&self, number: usize) -> Result<()> {
        self.sockets.send(number)
    }

    /// The server waits until `count` frames have arrived, with one receive for each readiness.
    pub(crate) fn serve(&mut self, count: usize) -> Result<()> {
        let Self { server, epoll, sockets } = self;
        let mut left = count;
        while left > 0 {
            epoll.wait(|number| {
                ensure!(server.receive(number)? == Some(sockets.payload_len), "another frame came");
                left = left.checked_sub(1).context("more came than was sent")?;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The server receives from one connection. Returns whether a frame had arrived.
    pub(crate) fn receive(&mut self, number: usize) -> Result<bool> {
        Ok(self.server.receive(number)?.is_some())
    }
}

impl Server {
    /// Returns the length of the payload, or `None` if no frame has arrived.
    fn receive(&mut self, number: usize) -> Result<Option<usize>> {
        let note = match self {
            Self::Typed(connections) => {
                let connection = connections.get_mut(number).context("no such connection")?;
                match connection.try_recv() {
                    Ok(frame) => frame.context("a client is gone")?.decode()?,
                    Err(RecvError::WouldBlock) => return Ok(None),
                    Err(error) => return Err(error.into()),
                }
            }
            Self::Plain(sockets, buffer) => {
                let socket = sockets.get(number).context("no such connection")?;
                let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
                match raw::recv(socket.as_fd(), buffer, flags) {
                    Ok(len) => codec::note(buffer.get(..len).context("truncated")?)?,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        let Note::Sample { payload, .. } = std::hint::black_box(note);
        Ok(Some(payload.len()))
    }
}
