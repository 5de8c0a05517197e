//! `send`, and `recv` into a fixed buffer, with bincode by hand. It takes two system calls for a message, and the
//! program must know the longest one.

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::raw;

use super::{End, Ends, Settings, codec};
use crate::feed::Inbox;
use crate::message::Note;

struct Plain {
    fd: OwnedFd,
    outgoing: Buffer,
    incoming: Buffer,
}

pub(super) fn pair(settings: &Settings) -> Result<Ends> {
    let (left, right) = connect(settings)?;
    let end = |fd| -> Result<Box<Plain>> {
        let (outgoing, incoming) = (Buffer::new(settings.buffer)?, Buffer::new(settings.buffer)?);
        Ok(Box::new(Plain { fd, outgoing, incoming }))
    };
    Ok((end(left)?, end(right)?))
}

/// Two plain sockets with the send buffers of the workload.
pub(super) fn connect(settings: &Settings) -> Result<(OwnedFd, OwnedFd)> {
    let (left, right) = raw::pair()?;
    if let Some(len) = settings.send_buffer {
        raw::set_send_buffer(left.as_fd(), len)?;
        raw::set_send_buffer(right.as_fd(), len)?;
    }
    Ok((left, right))
}

impl End for Plain {
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
            codec::decode(self.incoming.get(..len).context("a datagram was truncated")?, inbox)?;
        }
        Ok(())
    }
}
