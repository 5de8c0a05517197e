//! tokio-seqpacket, with bincode by hand.

use std::os::fd::BorrowedFd;

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::raw;
use tokio::runtime::Runtime;
use tokio_seqpacket::UnixSeqpacket;
use tokio_seqpacket::ancillary::{AncillaryMessageWriter, OwnedAncillaryMessage};

use super::Carrier;
use crate::feed::Inbox;
use crate::message::Note;
use crate::ways::{codec, runtime};

struct Asynchronous {
    runtime: Runtime,
    left: UnixSeqpacket,
    right: UnixSeqpacket,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

pub(super) fn connect() -> Result<Box<dyn Carrier>> {
    let (left, right) = raw::pair()?;
    let runtime = runtime::new()?;
    let context = runtime.enter();
    let left = UnixSeqpacket::try_from(runtime::nonblocking(left)?)?;
    let right = UnixSeqpacket::try_from(runtime::nonblocking(right)?)?;
    drop(context);
    let (outgoing, incoming) = (vec![0; 4096], vec![0; 4096]);
    Ok(Box::new(Asynchronous { runtime, left, right, outgoing, incoming }))
}

impl Carrier for Asynchronous {
    fn send(&mut self, note: Note<'static>, fd: BorrowedFd<'_>) -> Result<()> {
        let Self { runtime, left, outgoing, .. } = self;
        runtime.block_on(async {
            let mut control = [0; 64];
            let mut beside = AncillaryMessageWriter::new(&mut control);
            beside.add_fds([fd])?;
            left.send_with_ancillary(codec::encode(&note, outgoing)?, &mut beside).await?;
            Ok(())
        })
    }

    fn receive(&mut self, inbox: &mut Inbox) -> Result<()> {
        let Self { runtime, right, incoming, .. } = self;
        runtime.block_on(async {
            let mut control = [0; 64];
            let (info, beside) = right.recv_with_ancillary(incoming, &mut control).await?;
            ensure!(!info.truncated() && !info.ancillary_truncated(), "something was cut");
            let descriptors: usize = beside
                .into_messages()
                .map(|message| match message {
                    OwnedAncillaryMessage::FileDescriptors(fds) => fds.count(),
                    _ => 0,
                })
                .sum();
            ensure!(descriptors == 1, "{descriptors} descriptors came of one");
            codec::decode(incoming.get(..info.bytes_read()).context("more than fits")?, inbox)
        })
    }
}
