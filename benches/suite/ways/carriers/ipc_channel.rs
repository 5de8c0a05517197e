//! ipc-channel: what it carries are ends of channels, so the descriptor is that of one.

use std::os::fd::BorrowedFd;

use anyhow::Result;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use serde::{Deserialize, Serialize};

use super::Carrier;
use crate::feed::Inbox;
use crate::message::{Held, Note};

#[derive(Serialize, Deserialize)]
struct Parcel {
    held: Held,
    end: IpcSender<()>,
}

struct Channel {
    sender: IpcSender<Parcel>,
    receiver: IpcReceiver<Parcel>,
    carried: IpcSender<()>,
    /// So that the channel that is carried does not end.
    _other: IpcReceiver<()>,
}

pub(super) fn connect() -> Result<Box<dyn Carrier>> {
    let (sender, receiver) = ipc::channel()?;
    let (carried, other) = ipc::channel()?;
    Ok(Box::new(Channel { sender, receiver, carried, _other: other }))
}

impl Carrier for Channel {
    fn send(&mut self, note: Note<'static>, _: BorrowedFd<'_>) -> Result<()> {
        self.sender.send(Parcel { held: note.into(), end: self.carried.clone() })?;
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox) -> Result<()> {
        let Parcel { held, end } = self.receiver.recv()?;
        drop(end);
        inbox.take_held(&held)
    }
}
