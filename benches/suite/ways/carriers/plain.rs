//! `sendmsg` and `recvmsg`, with bincode by hand.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use anyhow::{Context as _, Result};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::{raw, rights};

use super::Carrier;
use crate::feed::Inbox;
use crate::message::Note;
use crate::ways::codec;

struct Plain {
    left: OwnedFd,
    right: OwnedFd,
    outgoing: Buffer,
    incoming: Buffer,
}

pub(super) fn connect() -> Result<Box<dyn Carrier>> {
    let (left, right) = raw::pair()?;
    let (outgoing, incoming) = (Buffer::new(4096)?, Buffer::new(4096)?);
    Ok(Box::new(Plain { left, right, outgoing, incoming }))
}

impl Carrier for Plain {
    fn send(&mut self, note: Note<'static>, fd: BorrowedFd<'_>) -> Result<()> {
        rights::send(self.left.as_fd(), codec::encode(&note, &mut self.outgoing)?, fd)?;
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox) -> Result<()> {
        let (len, fd) = rights::recv(self.right.as_fd(), &mut self.incoming)?;
        drop(fd);
        codec::decode(self.incoming.get(..len).context("more than fits")?, inbox)
    }
}
