//! `send`, and `recv` into a fixed buffer, of bare bytes: what the system calls of the loop cost that one
//! writes by hand. It pays two system calls for a message, and nothing to encode.

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::raw;

use super::{End, Ends, Settings};
use crate::feed::Inbox;
use crate::message::Note;

struct Bare {
    fd: OwnedFd,
    buffer: Buffer,
}

pub(super) fn pair(settings: &Settings) -> Result<Ends> {
    let (left, right) = connect(settings)?;
    let end = |fd| -> Result<Box<Bare>> {
        Ok(Box::new(Bare { fd, buffer: Buffer::new(settings.buffer)? }))
    };
    Ok((end(left)?, end(right)?))
}

/// Two plain sockets, set as the workload wants them.
pub(super) fn connect(settings: &Settings) -> Result<(OwnedFd, OwnedFd)> {
    let (left, right) = raw::pair()?;
    if let Some(len) = settings.send_buffer {
        raw::set_send_buffer(left.as_fd(), len)?;
        raw::set_send_buffer(right.as_fd(), len)?;
    }
    Ok((left, right))
}

impl End for Bare {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        for &Note::Sample { payload, .. } in notes {
            raw::send(self.fd.as_fd(), payload)?;
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        for _ in 0..count {
            let len = raw::recv(self.fd.as_fd(), &mut self.buffer, 0)?;
            inbox.take_bare(self.buffer.get(..len).context("a datagram that was cut")?.len())?;
        }
        Ok(())
    }
}
