//! datagrammar: a field of the message is the descriptor.

use std::os::fd::{BorrowedFd, OwnedFd};

use anyhow::{Context as _, Result};
use datagrammar::{Connection, Message, Receiver, Sender};

use super::Carrier;
use crate::feed::Inbox;
use crate::message::Note;

#[derive(Message)]
enum Sent<'a> {
    #[message(tag = 1)]
    Sample {
        seq: u64,
        payload: &'a [u8],
        #[message(fd)]
        fd: BorrowedFd<'a>,
    },
}

#[derive(Message)]
enum Received<'a> {
    #[message(tag = 1)]
    Sample {
        seq: u64,
        payload: &'a [u8],
        #[message(fd)]
        fd: OwnedFd,
    },
}

struct Typed {
    sender: Sender<Sent<'static>>,
    receiver: Receiver<Received<'static>>,
}

pub(super) fn connect() -> Result<Box<dyn Carrier>> {
    let (left, right) = Connection::<Sent<'static>, Received<'static>>::pair()?;
    // Taken over, as what is received has other types of descriptors than what is sent.
    let right = Connection::<Sent<'static>, Received<'static>>::adopt(right.into_fd()?.0)?;
    let (sender, receiver) = (left.split().0, right.split().1);
    Ok(Box::new(Typed { sender, receiver }))
}

impl Carrier for Typed {
    fn send(&mut self, note: Note<'static>, fd: BorrowedFd<'_>) -> Result<()> {
        let Note::Sample { seq, payload } = note;
        self.sender.send(&Sent::Sample { seq, payload, fd })?;
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox) -> Result<()> {
        let frame = self.receiver.recv()?.context("the sender is gone")?;
        let Received::Sample { seq, payload, fd } = frame.decode()?;
        drop(fd);
        inbox.take(Note::Sample { seq, payload })
    }
}
