//! datagrammar over a connection. Everything that depends on the shape of its API is in this file and in
//! `datagrams/typed.rs`.

use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use datagrammar::Connection;
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
    let (left, right) = connect(way == Way::Eager)?;
    let end = |connection: Ours| -> Result<Box<Typed>> {
        if let Some(len) = settings.send_buffer {
            raw::set_send_buffer(connection.as_fd(), len)?;
        }
        Ok(Box::new(Typed { connection, all: way == Way::SendAll }))
    };
    Ok((end(left)?, end(right)?))
}

fn connect(_eager: bool) -> Result<(Ours, Ours)> {
    // SWITCH ON: if _eager { return Ok(Ours::pair_with(&Options::new().eager())?); }
    Ok(Ours::pair()?)
}

impl End for Typed {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        if self.all {
            self.connection.send_all(notes)?;
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
