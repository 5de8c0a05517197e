//! ipc-channel's typed channel, one in each direction. It encodes with postcard into a new vector, allocates as much as
//! the socket's send buffer for every receive, and decodes to owned data. It does not expose its sockets, so they have
//! the default send buffer, which all bursts fit in.

use anyhow::Result;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};

use super::{End, Ends};
use crate::feed::Inbox;
use crate::message::{Held, Note};

struct Channel {
    sender: IpcSender<Held>,
    receiver: IpcReceiver<Held>,
}

pub(super) fn pair() -> Result<Ends> {
    let (to_right, from_left) = ipc::channel()?;
    let (to_left, from_right) = ipc::channel()?;
    let left = Channel { sender: to_right, receiver: from_right };
    let right = Channel { sender: to_left, receiver: from_left };
    Ok((Box::new(left), Box::new(right)))
}

impl End for Channel {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        for &note in notes {
            self.sender.send(note.into())?;
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        for _ in 0..count {
            inbox.take_held(&self.receiver.recv()?)?;
        }
        Ok(())
    }
}
