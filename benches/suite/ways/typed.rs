//! datagrammar over a connection.

use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use datagrammar::{Connection, Options, Wait};
use datagrammar_benches::raw;

use super::{End, Ends, Settings, Way};
use crate::feed::Inbox;
use crate::message::Note;

pub(crate) type Ours = Connection<Note<'static>, Note<'static>>;

struct Typed {
    connection: Ours,
    all: bool,
}

pub(super) fn pair(way: Way, settings: &Settings) -> Result<Ends> {
    let options = if way == Way::Eager { Options::new().eager() } else { Options::new() };
    let (left, right) = Ours::pair_with(&options)?;
    let end = |connection: Ours| -> Result<Box<Typed>> {
        if let Some(len) = settings.send_buffer {
            raw::set_send_buffer(connection.as_fd(), len)?;
        }
        Ok(Box::new(Typed { connection, all: way == Way::SendAll }))
    };
    Ok((end(left)?, end(right)?))
}

impl End for Typed {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        if self.all {
            self.connection.tx.send_all(notes, Wait::Block)?;
            return Ok(());
        }
        for note in notes {
            self.connection.send(note)?;
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        for _ in 0..count {
            let frame = self.connection.recv()?.context("the sender is gone")?;
            inbox.take(frame.decode()?)?;
        }
        Ok(())
    }
}
