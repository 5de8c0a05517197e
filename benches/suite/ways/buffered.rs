//! `send`, and `recv` into a fixed buffer, with bincode by hand: what one writes without a library. It pays
//! two system calls for a message, and has to know the longest one.

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::raw;

use super::{End, Ends, Settings, bare, codec};
use crate::feed::Inbox;
use crate::message::Note;

struct Buffered {
    fd: OwnedFd,
    outgoing: Buffer,
    incoming: Buffer,
}

pub(super) fn pair(settings: &Settings) -> Result<Ends> {
    let (left, right) = bare::connect(settings)?;
    let end = |fd| -> Result<Box<Buffered>> {
        let (outgoing, incoming) = (Buffer::new(settings.buffer)?, Buffer::new(settings.buffer)?);
        Ok(Box::new(Buffered { fd, outgoing, incoming }))
    };
    Ok((end(left)?, end(right)?))
}

impl End for Buffered {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        for note in notes {
            raw::send(self.fd.as_fd(), codec::encode(note, &mut self.outgoing)?)?;
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        for _ in 0..count {
            let len = raw::recv(self.fd.as_fd(), &mut self.incoming, libc::MSG_TRUNC)?;
            ensure!(len > 0, "the sender is gone");
            codec::decode(self.incoming.get(..len).context("a datagram was cut")?, inbox)?;
        }
        Ok(())
    }
}
