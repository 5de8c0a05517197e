//! uds, with bincode by hand, into and out of fixed buffers that are kept. It pays two system calls for a
//! message, and has to know the longest one: its `recv` cuts in silence, so the check is that it decodes.

use std::os::fd::{AsRawFd as _, BorrowedFd};

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::raw;
use uds::UnixSeqpacketConn;

use super::{End, Ends, Settings, codec};
use crate::feed::Inbox;
use crate::message::Note;

struct Uds {
    connection: UnixSeqpacketConn,
    outgoing: Buffer,
    incoming: Buffer,
}

pub(super) fn pair(settings: &Settings) -> Result<Ends> {
    let (left, right) = UnixSeqpacketConn::pair()?;
    let end = |connection: UnixSeqpacketConn| -> Result<Box<Uds>> {
        if let Some(len) = settings.send_buffer {
            // SAFETY: the connection keeps its descriptor open while it lives, which is longer than this.
            let fd = unsafe { BorrowedFd::borrow_raw(connection.as_raw_fd()) };
            raw::set_send_buffer(fd, len)?;
        }
        let (outgoing, incoming) = (Buffer::new(settings.buffer)?, Buffer::new(settings.buffer)?);
        Ok(Box::new(Uds { connection, outgoing, incoming }))
    };
    Ok((end(left)?, end(right)?))
}

impl End for Uds {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        for note in notes {
            self.connection.send(codec::encode(note, &mut self.outgoing)?)?;
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        for _ in 0..count {
            let len = self.connection.recv(&mut self.incoming)?;
            ensure!(len > 0, "the sender is gone");
            codec::decode(
                self.incoming.get(..len).context("more than there was room for")?,
                inbox,
            )?;
        }
        Ok(())
    }
}
