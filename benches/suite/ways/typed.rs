//! datagrammar: all that the suite uses of its connections is here.

use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use datagrammar::{Connection, Limits};
use datagrammar_benches::raw;

use super::{End, Ends, Settings};
use crate::feed::Inbox;
use crate::message::Note;

/// How it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Bursts are sent at once.
    All,
    /// Each message is sent alone.
    Each,
    /// Each message is sent alone, and received alone.
    One,
}

type Ours = Connection<Note<'static>, Note<'static>>;

struct Typed {
    connection: Ours,
    mode: Mode,
}

pub(super) fn pair(settings: &Settings, mode: Mode) -> Result<Ends> {
    let (left, right) = Ours::pair()?;
    let end = |mut connection: Ours| -> Result<Box<Typed>> {
        if let Some(len) = settings.send_buffer {
            raw::set_send_buffer(connection.as_fd(), len)?;
        }
        connection.set_limits(limits(settings.limit, mode));
        Ok(Box::new(Typed { connection, mode }))
    };
    Ok((end(left)?, end(right)?))
}

impl End for Typed {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        let Self { connection, mode } = self;
        if *mode == Mode::All {
            connection.send_all(notes)?;
            return Ok(());
        }
        for note in notes {
            connection.send(note)?;
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

/// What is received, and how many frames by one call.
fn limits(frame_len: Option<usize>, mode: Mode) -> Limits {
    let limits = frame_len.map_or(Limits::default(), |len| Limits::default().frame_len(len));
    if mode == Mode::One { limits.batch(1) } else { limits }
}
