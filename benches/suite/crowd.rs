//! A server with many connections in one epoll.

use std::io;
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

/// Descriptors for anything but connections.
const SPARE: usize = 64;

const BUFFER: usize = 128 * 1024;

/// Both ends of many connections, before the server takes over its own.
#[derive(Debug)]
pub(crate) struct Sockets {
    clients: Vec<OwnedFd>,
    servers: Vec<OwnedFd>,
    /// In flight to nobody: the clients for which this process may have no descriptors.
    parked: (OwnedFd, OwnedFd),
}

impl Sockets {
    pub(crate) fn new(count: usize) -> Result<Self> {
        let allowed = limits::allow_descriptors(2 * count + SPARE)?;
        let room = allowed.saturating_sub(count + SPARE);
        let mut sockets = Self { clients: Vec::new(), servers: Vec::new(), parked: raw::pair()? };
        for _ in 0..count {
            let (client, server) = raw::pair()?;
            sockets.servers.push(server);
            if sockets.clients.len() < room {
                sockets.clients.push(client);
            } else {
                rights::send(sockets.parked.0.as_fd(), &[0], client.as_fd())?;
            }
        }
        Ok(sockets)
    }
}

/// The server, and the clients that send to it. Those are plain sockets that send a frame which was encoded
/// before, so that all that differs between ways is the server.
pub(crate) struct Crowd {
    clients: Vec<OwnedFd>,
    frame: Vec<u8>,
    payload_len: usize,
    server: Server,
    epoll: Epoll,
    _parked: (OwnedFd, OwnedFd),
}

enum Server {
    Typed(Vec<Ours>),
    /// With one buffer for all connections.
    Plain(Vec<OwnedFd>, Buffer),
}

impl Crowd {
    pub(crate) fn new(way: Way, sockets: Sockets, note: &Note<'_>) -> Result<Self> {
        let Sockets { clients, servers, parked } = sockets;
        let epoll = Epoll::new()?;
        for (number, server) in servers.iter().enumerate() {
            epoll.add(server.as_fd(), number)?;
        }
        let (server, frame) = if way == Way::Plain {
            let frame = codec::encode(note, &mut Buffer::new(BUFFER)?)?.to_vec();
            (Server::Plain(servers, Buffer::new(BUFFER)?), frame)
        } else {
            // A vector that grows would leave memory behind.
            let mut adopted = Vec::with_capacity(servers.len());
            for server in servers {
                adopted.push(Ours::adopt(server)?);
            }
            (Server::Typed(adopted), to_vec(note)?)
        };
        let Note::Sample { payload, .. } = note;
        let payload_len = payload.len();
        Ok(Self { clients, frame, payload_len, server, epoll, _parked: parked })
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

    /// The server waits until `count` frames have come, with one receive for each readiness.
    pub(crate) fn serve(&mut self, count: usize) -> Result<()> {
        let Self { server, epoll, payload_len, .. } = self;
        let mut left = count;
        while left > 0 {
            epoll.wait(|number| -> Result<()> {
                ensure!(server.receive(number)? == Some(*payload_len), "another frame came");
                left = left.checked_sub(1).context("more came than was sent")?;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The server receives from one connection, and returns whether a frame had come.
    pub(crate) fn receive(&mut self, number: usize) -> Result<bool> {
        Ok(self.server.receive(number)?.is_some())
    }
}

impl Server {
    /// The length of the payload, or none if nothing has come.
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
