//! datagrammar: from each connection that epoll tells, all that is there is received. Clients are plain
//! sockets, so that what is measured is the server.

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result, bail};
use datagrammar::{Connection, RecvError, to_vec};
use datagrammar_benches::raw;

use super::{Crowd, Sockets, Tally};
use crate::epoll::Epoll;
use crate::message::Note;

struct Typed {
    clients: Vec<OwnedFd>,
    connections: Vec<Connection<Note<'static>, Note<'static>>>,
    epoll: Epoll,
    /// The memory that the sockets lay in, so that it is not counted as free.
    _servers: Vec<OwnedFd>,
    _parked: Option<(OwnedFd, OwnedFd)>,
}

pub(super) fn gather(sockets: Sockets) -> Result<Box<dyn Crowd>> {
    let Sockets { clients, mut servers, _parked } = sockets;
    let epoll = Epoll::new()?;
    let mut connections = Vec::with_capacity(servers.len());
    for (number, server) in servers.drain(..).enumerate() {
        let connection = Connection::adopt(server)?;
        epoll.add(connection.as_fd(), number)?;
        connections.push(connection);
    }
    Ok(Box::new(Typed { clients, connections, epoll, _servers: servers, _parked }))
}

impl Crowd for Typed {
    fn clients(&self) -> usize {
        self.clients.len()
    }

    fn send(&mut self, to: usize, note: Note<'static>) -> Result<()> {
        let client = self.clients.get(to).context("no such connection")?;
        raw::send(client.as_fd(), &to_vec(&note)?)?;
        Ok(())
    }

    fn serve(&mut self, tally: &mut Tally) -> Result<()> {
        let Self { connections, epoll, .. } = self;
        while tally.waits() {
            epoll.wait(|number| -> Result<()> {
                let connection = connections.get_mut(number).context("no such connection")?;
                loop {
                    match connection.try_recv() {
                        Ok(Some(frame)) => tally.came(frame.decode()?),
                        Ok(None) => bail!("a client is gone"),
                        Err(RecvError::WouldBlock) => return Ok(()),
                        Err(error) => return Err(error.into()),
                    }
                }
            })?;
        }
        Ok(())
    }
}
