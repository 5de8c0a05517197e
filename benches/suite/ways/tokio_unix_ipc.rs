//! tokio-unix-ipc's typed channel, one each way. It encodes with bincode 1 into a new vector, sends a header
//! and that as two writes to a stream, allocates what the header says for every receive, and decodes to
//! owned data.

use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use anyhow::Result;
use datagrammar_benches::raw;
use tokio::runtime::Runtime;
use tokio_unix_ipc::{RawReceiver, RawSender, Receiver, Sender};

use super::{End, Ends, Settings, runtime};
use crate::feed::{Feed, Inbox};
use crate::message::{Held, Note};

struct Channel {
    runtime: Runtime,
    inner: Inner,
}

struct Inner {
    sender: Sender<Held>,
    receiver: Receiver<Held>,
}

pub(super) fn pair(settings: &Settings) -> Result<Ends> {
    let (to_right, from_left) = stream(settings)?;
    let (to_left, from_right) = stream(settings)?;
    let left = Channel::new(to_right, from_right)?;
    let right = Channel::new(to_left, from_left)?;
    Ok((Box::new(left), Box::new(right)))
}

fn stream(settings: &Settings) -> Result<(OwnedFd, OwnedFd)> {
    let (from, to) = UnixStream::pair()?;
    if let Some(len) = settings.send_buffer {
        raw::set_send_buffer(from.as_fd(), len)?;
    }
    Ok((runtime::nonblocking(from.into())?, runtime::nonblocking(to.into())?))
}

impl Channel {
    fn new(to: OwnedFd, from: OwnedFd) -> Result<Self> {
        let runtime = runtime::new()?;
        let context = runtime.enter();
        let sender = RawSender::from_std(to.into())?.into();
        let receiver = RawReceiver::from_std(from.into())?.into();
        drop(context);
        Ok(Self { runtime, inner: Inner { sender, receiver } })
    }
}

impl End for Channel {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        let Self { runtime, inner } = self;
        runtime.block_on(async {
            for &note in notes {
                inner.sender.send(note.into()).await?;
            }
            Ok(())
        })
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        let Self { runtime, inner } = self;
        runtime.block_on(async {
            for _ in 0..count {
                inbox.take_held(&inner.receiver.recv().await?)?;
            }
            Ok(())
        })
    }

    fn ask(&mut self, feed: &mut Feed, inbox: &mut Inbox, count: u64) -> Result<()> {
        let Self { runtime, inner } = self;
        runtime.block_on(async {
            for _ in 0..count {
                inner.sender.send(feed.next()?.into()).await?;
                inbox.take_held(&inner.receiver.recv().await?)?;
            }
            Ok(())
        })
    }

    fn answer(&mut self, feed: &mut Feed, inbox: &mut Inbox, count: u64) -> Result<()> {
        let Self { runtime, inner } = self;
        runtime.block_on(async {
            for _ in 0..count {
                inbox.take_held(&inner.receiver.recv().await?)?;
                inner.sender.send(feed.next()?.into()).await?;
            }
            Ok(())
        })
    }
}
