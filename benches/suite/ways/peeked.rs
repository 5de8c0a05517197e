//! `send`, a peek that tells the length, and a `recv` of exactly that, with bincode by hand. It pays three
//! system calls for a message, and grows its buffer as far as it must.

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::raw;

use super::{End, Ends, Settings, bare, codec};
use crate::feed::Inbox;
use crate::message::Note;

struct Peeked {
    fd: OwnedFd,
    outgoing: Buffer,
    incoming: Buffer,
}

pub(super) fn pair(settings: &Settings) -> Result<Ends> {
    let (left, right) = bare::connect(settings)?;
    let end = |fd| -> Result<Box<Peeked>> {
        let (outgoing, incoming) = (Buffer::new(settings.buffer)?, Buffer::new(0)?);
        Ok(Box::new(Peeked { fd, outgoing, incoming }))
    };
    Ok((end(left)?, end(right)?))
}

impl End for Peeked {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        for note in notes {
            raw::send(self.fd.as_fd(), codec::encode(note, &mut self.outgoing)?)?;
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        for _ in 0..count {
            let flags = libc::MSG_PEEK | libc::MSG_TRUNC;
            let len = raw::recv(self.fd.as_fd(), &mut [], flags)?;
            ensure!(len > 0, "the sender is gone");
            if len > self.incoming.len() {
                self.incoming = Buffer::new(len.next_power_of_two())?;
            }
            let frame = self.incoming.get_mut(..len).context("the buffer has grown")?;
            let received = raw::recv(self.fd.as_fd(), frame, 0)?;
            ensure!(received == len, "{received} bytes came of {len}");
            codec::decode(frame, inbox)?;
        }
        Ok(())
    }
}
