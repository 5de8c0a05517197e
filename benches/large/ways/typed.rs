//! Through a datagrammar connection.

use std::io;
use std::os::fd::AsFd as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use datagrammar::{Connection, Limits, Message};

use super::Send;
use crate::receiving::Watch;

#[derive(Message)]
enum Blob<'a> {
    #[message(tag = 1)]
    Blob {
        #[message(rest)]
        content: &'a [u8],
    },
}

type Ours = Connection<Blob<'static>, Blob<'static>>;

pub(crate) fn sender(receiver: &mut Command) -> Result<Send> {
    let (mut ours, theirs) = Ours::pair()?;
    receiver.stdin(theirs.into_fd()?.0);
    Ok(Box::new(move |content| {
        ours.send(&Blob::Blob { content })?;
        Ok(())
    }))
}

pub(crate) fn receive(watch: &mut Watch) -> Result<()> {
    let mut ours = Ours::adopt(io::stdin().as_fd().try_clone_to_owned()?)?;
    ours.rx.set_limits(Limits::default().frame_len(usize::MAX));
    watch.ready()?;
    let Blob::Blob { content } = ours.recv()?.context("the sender has died")?.decode()?;
    watch.received(content)
}
