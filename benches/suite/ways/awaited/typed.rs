//! datagrammar over a connection, under tokio.

use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use datagrammar::tokio::Connection;
use datagrammar_benches::raw;

use super::{Asynchronous, Awaited};
use crate::feed::Inbox;
use crate::message::Note;
use crate::ways::typed::Ours;
use crate::ways::{End, Ends, Settings};

/// One end.
pub(crate) type Awaiting = Connection<Note<'static>, Note<'static>>;

pub(in crate::ways) fn pair(settings: &Settings) -> Result<Ends> {
    let (left, right) = Ours::pair()?;
    Ok((end(left, settings)?, end(right, settings)?))
}

/// Makes an end with a runtime of its own.
pub(super) fn end(connection: Ours, settings: &Settings) -> Result<Box<dyn End>> {
    Ok(Asynchronous::new(|| {
        if let Some(len) = settings.send_buffer {
            raw::set_send_buffer(connection.as_fd(), len)?;
        }
        Ok(Connection::from_blocking(connection).map_err(|(_, error)| error)?)
    })?)
}

impl Awaited for Awaiting {
    async fn send(&mut self, note: &Note<'static>) -> Result<()> {
        Self::send(self, note).await?;
        Ok(())
    }

    async fn receive(&mut self, inbox: &mut Inbox) -> Result<()> {
        let frame = self.recv().await?.context("the sender is gone")?;
        inbox.take(frame.decode()?)
    }
}
