//! The ways of moving a message from one process to another.

mod ipc_channel;
mod raw;
mod typed;

use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::receiving::Watch;

/// A way of moving a message from one process to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Way {
    /// One `send` of a datagrammar connection.
    Datagrammar,
    /// A plain loop over a SEQPACKET socket pair, in pieces of 32 KiB: many fit its send buffer.
    Raw32k,
    /// The same in pieces of 200 KB, about the longest that its send buffer takes.
    Raw200k,
    /// One `send` of ipc-channel's channel of bytes.
    IpcChannel,
}

/// Sends a message once.
pub(crate) type Send = Box<dyn FnOnce(&[u8]) -> Result<()>>;

impl Way {
    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Its name in the report.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Datagrammar => "datagrammar",
            Self::Raw32k => "plain loop, 32 KiB",
            Self::Raw200k => "plain loop, 200 KB",
            Self::IpcChannel => "ipc-channel 0.23.1",
        }
    }

    /// Creates the sending end, and passes the other end to `receiver`, which is started afterwards.
    pub(crate) fn sender(self, receiver: &mut Command) -> Result<Send> {
        match self {
            Self::Datagrammar => typed::sender(receiver),
            Self::Raw32k => raw::sender(receiver, 32 * 1024),
            Self::Raw200k => raw::sender(receiver, 200_000),
            Self::IpcChannel => ipc_channel::sender(receiver),
        }
    }

    /// Receives a message through the end that this process was given.
    pub(crate) fn receive(self, watch: &mut Watch, address: Option<String>) -> Result<()> {
        match self {
            Self::Datagrammar => typed::receive(watch),
            Self::Raw32k | Self::Raw200k => raw::receive(watch),
            Self::IpcChannel => ipc_channel::receive(watch, address.context("an address")?),
        }
    }
}
