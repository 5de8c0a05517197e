//! datagrammar over datagram sockets.

use std::hint::black_box;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::SocketAddr as UnixAddr;

use anyhow::{Context as _, Result};
use datagrammar::{Address, Wait};

use super::Socket;
use crate::feed::Inbox;
use crate::message::Note;
use crate::ways::{End, Ends};

type Ours = datagrammar::Socket<Note<'static>, Note<'static>>;

struct Typed {
    socket: Ours,
    to: Address,
    all: bool,
}

pub(super) fn pair(left: Socket, right: Socket, all: bool) -> Result<Ends> {
    let end = |socket| -> Result<Box<Typed>> {
        let (fd, to) = match socket {
            Socket::Unix(socket, to) => (OwnedFd::from(socket), unix_address(&to)?),
            Socket::Udp(socket, to) => (OwnedFd::from(socket), format!("udp:{to}")),
        };
        Ok(Box::new(Typed { socket: Ours::adopt(fd)?, to: to.parse()?, all }))
    };
    Ok((end(left)?, end(right)?))
}

fn unix_address(address: &UnixAddr) -> Result<String> {
    let name = address.as_abstract_name().context("not an abstract name")?;
    Ok(format!("unix:@{}", str::from_utf8(name)?))
}

impl End for Typed {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        let Self { socket, to, all } = self;
        if *all {
            socket.tx.send_all_to(notes, to, Wait::Block)?;
            return Ok(());
        }
        for note in notes {
            socket.send_to(note, to)?;
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        for _ in 0..count {
            let (frame, from) = self.socket.recv_from()?;
            black_box(from);
            inbox.take(frame.decode()?)?;
        }
        Ok(())
    }
}
