//! tokio-seqpacket with bincode by hand, into and out of fixed buffers. It costs two system calls a message,
//! and the polls of the runtime wherever it waits.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::buffer::Buffer;
use tokio::runtime::{Builder, Runtime};
use tokio_seqpacket::UnixSeqpacket;

use super::{End, Ends, Settings, codec, plain};
use crate::feed::{Feed, Inbox};
use crate::message::Note;

/// Each end has a runtime of one thread, so that both can be on one thread or on two.
struct Asynchronous {
    runtime: Runtime,
    inner: Inner,
}

struct Inner {
    socket: UnixSeqpacket,
    outgoing: Buffer,
    incoming: Buffer,
}

pub(super) fn pair(settings: &Settings) -> Result<Ends> {
    let (left, right) = plain::connect(settings)?;
    let end = |fd: OwnedFd| -> Result<Box<Asynchronous>> {
        // Only to set the descriptor: its type does not matter.
        let stream = UnixStream::from(fd);
        stream.set_nonblocking(true)?;
        let runtime = runtime()?;
        let context = runtime.enter();
        let socket = UnixSeqpacket::try_from(OwnedFd::from(stream))?;
        drop(context);
        let (outgoing, incoming) = (Buffer::new(settings.buffer)?, Buffer::new(settings.buffer)?);
        Ok(Box::new(Asynchronous { runtime, inner: Inner { socket, outgoing, incoming } }))
    };
    Ok((end(left)?, end(right)?))
}

/// A runtime of the thread that blocks on it.
pub(super) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

impl End for Asynchronous {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        let Self { runtime, inner } = self;
        runtime.block_on(async {
            for note in notes {
                inner.send(note).await?;
            }
            Ok(())
        })
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        let Self { runtime, inner } = self;
        runtime.block_on(async {
            for _ in 0..count {
                inner.receive(inbox).await?;
            }
            Ok(())
        })
    }

    fn converse(
        &mut self,
        asks: bool,
        feed: &mut Feed,
        inbox: &mut Inbox,
        count: u64,
    ) -> Result<()> {
        let Self { runtime, inner } = self;
        runtime.block_on(async {
            for _ in 0..count {
                if asks {
                    inner.send(&feed.next()?).await?;
                }
                inner.receive(inbox).await?;
                if !asks {
                    inner.send(&feed.next()?).await?;
                }
            }
            Ok(())
        })
    }
}

impl Inner {
    async fn send(&mut self, note: &Note<'_>) -> Result<()> {
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
