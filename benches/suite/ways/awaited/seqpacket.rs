//! tokio-seqpacket with bincode by hand, into and out of fixed buffers. It takes two system calls for a message, and
//! the polls of the runtime when it waits.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::buffer::Buffer;
use tokio_seqpacket::UnixSeqpacket;

use super::{Asynchronous, Awaited};
use crate::feed::Inbox;
use crate::message::Note;
use crate::ways::{End, Ends, Settings, codec, plain};

struct Buffered {
    socket: UnixSeqpacket,
    outgoing: Buffer,
    incoming: Buffer,
}

pub(in crate::ways) fn pair(settings: &Settings) -> Result<Ends> {
    let (left, right) = plain::connect(settings)?;
    Ok((end(left, settings)?, end(right, settings)?))
}

/// Makes an end with a runtime of its own.
pub(super) fn end(fd: OwnedFd, settings: &Settings) -> Result<Box<dyn End>> {
    Ok(Asynchronous::new(|| {
        let socket = register(fd)?;
        let (outgoing, incoming) = (Buffer::new(settings.buffer)?, Buffer::new(settings.buffer)?);
        Ok(Buffered { socket, outgoing, incoming })
    })?)
}

/// Registers a socket with the current runtime.
pub(super) fn register(fd: OwnedFd) -> Result<UnixSeqpacket> {
    // Only to set the descriptor: its type does not matter.
    let stream = UnixStream::from(fd);
    stream.set_nonblocking(true)?;
    Ok(UnixSeqpacket::try_from(OwnedFd::from(stream))?)
}

impl Awaited for Buffered {
    async fn send(&mut self, note: &Note<'static>) -> Result<()> {
        self.socket.send(codec::encode(note, &mut self.outgoing)?).await?;
        Ok(())
    }

    async fn receive(&mut self, inbox: &mut Inbox) -> Result<()> {
        let info = self.socket.recv(&mut self.incoming).await?;
        ensure!(!info.truncated(), "a datagram was truncated");
        let frame = self.incoming.get(..info.bytes_read()).context("more than the buffer holds")?;
        ensure!(!frame.is_empty(), "the sender is gone");
        codec::decode(frame, inbox)
    }
}
