//! ipc-channel: its set of receivers. Both ends of its channels are counted, as it makes them together.

use anyhow::{Context as _, Result, bail};
use ipc_channel::ipc::{self, IpcReceiverSet, IpcSelectionResult, IpcSender};

use super::{Crowd, Tally};
use crate::message::{Held, Note};

struct Channels {
    senders: Vec<IpcSender<Held>>,
    receivers: IpcReceiverSet,
}

pub(super) fn gather(count: usize) -> Result<Box<dyn Crowd>> {
    let mut receivers = IpcReceiverSet::new()?;
    let mut senders = Vec::with_capacity(count);
    for _ in 0..count {
        let (sender, receiver) = ipc::channel::<Held>()?;
        receivers.add(receiver)?;
        senders.push(sender);
    }
    Ok(Box::new(Channels { senders, receivers }))
}

impl Crowd for Channels {
    fn clients(&self) -> usize {
        self.senders.len()
    }

    fn send(&mut self, to: usize, note: Note<'static>) -> Result<()> {
        self.senders.get(to).context("no such connection")?.send(note.into())?;
        Ok(())
    }

    fn serve(&mut self, tally: &mut Tally) -> Result<()> {
        while tally.waits() {
            for result in self.receivers.select()? {
                match result {
                    IpcSelectionResult::MessageReceived(_, message) => {
                        tally.came_held(&message.to()?);
                    }
                    IpcSelectionResult::ChannelClosed(_) => bail!("a client is gone"),
                }
            }
        }
        Ok(())
    }
}
