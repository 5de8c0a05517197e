//! Through ipc-channel's channel of bytes, which also sends long messages in pieces.

use std::process::Command;

use anyhow::Result;
use ipc_channel::ipc::{self, IpcBytesSender, IpcOneShotServer, IpcSender};

use super::Send;
use crate::receiving::Watch;

pub(crate) fn sender(receiver: &mut Command) -> Result<Send> {
    let (server, address) = IpcOneShotServer::<IpcBytesSender>::new()?;
    receiver.arg(address);
    Ok(Box::new(move |content| {
        // Does not wait: a receiver that is ready has connected.
        let (_, sender) = server.accept()?;
        sender.send(content)?;
        Ok(())
    }))
}

pub(crate) fn receive(watch: &mut Watch, address: String) -> Result<()> {
    let (theirs, ours) = ipc::bytes_channel()?;
    IpcSender::connect(address)?.send(theirs)?;
    watch.ready()?;
    let content = ours.recv()?;
    watch.received(&content)
}
