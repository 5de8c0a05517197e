//! uds with bincode by hand, into and out of fixed buffers. Its `recv` truncates silently, so the check is that the
//! frame decodes.

use std::os::fd::{FromRawFd as _, IntoRawFd as _, OwnedFd};

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::buffer::Buffer;
use uds::UnixSeqpacketConn;

use super::{End, Ends, Settings, codec, plain};
use crate::feed::Inbox;
use crate::message::Note;

struct Uds {
    connection: UnixSeqpacketConn,
    outgoing: Buffer,
    incoming: Buffer,
}

pub(super) fn pair(settings: &Settings) -> Result<Ends> {
    let (left, right) = plain::connect(settings)?;
    let end = |fd: OwnedFd| -> Result<Box<Uds>> {
        // SAFETY: the descriptor is an open, connected SEQPACKET socket, and nothing else owns it.
        let connection = unsafe { UnixSeqpacketConn::from_raw_fd(fd.into_raw_fd()) };
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
            codec::decode(self.incoming.get(..len).context("more than fits")?, inbox)?;
        }
        Ok(())
    }
}
