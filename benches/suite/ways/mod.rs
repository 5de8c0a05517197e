//! The ways of moving a message between two ends of a connection in this process.

mod bare;
mod buffered;
pub(crate) mod carriers;
pub(crate) mod codec;
mod floor;
mod ipc_channel;
mod peeked;
pub(crate) mod runtime;
mod tarpc;
mod tokio_seqpacket;
mod tokio_unix_ipc;
mod tube;
mod typed;
mod uds;

use anyhow::Result;
use clap::ValueEnum;

use crate::feed::{Feed, Inbox};
use crate::message::Note;

/// A way of moving a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Way {
    /// datagrammar: bursts sent by `send_all`, received by `recv`.
    TypedAll,
    /// datagrammar: each message sent by `send`, received by `recv`.
    TypedEach,
    /// datagrammar: as before, and the receiver takes one frame at a time.
    TypedOne,
    /// The system calls that cost least, without any encoding: `sendmmsg`, one peek, `recvmmsg`.
    Floor,
    /// `send`, and `recv` into a fixed buffer, without any encoding.
    Bare,
    /// `send`, and `recv` into a fixed buffer, and bincode by hand.
    Buffered,
    /// `send`, a peek and a `recv` of exactly that length, and bincode by hand.
    Peeked,
    /// uds, and bincode by hand.
    Uds,
    /// ipc-channel's typed channel.
    IpcChannel,
    /// tokio-seqpacket, and bincode by hand.
    TokioSeqpacket,
    /// tokio-unix-ipc's typed channel.
    TokioUnixIpc,
    /// tarpc over its serde transport on a UNIX stream.
    Tarpc,
    /// As crosvm's `Tube`: a peek, memory for each frame, and JSON.
    Tube,
}

/// What depends on the workload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// What the send buffer of every socket is raised to, in bytes, where its way lets one.
    pub(crate) send_buffer: Option<usize>,
    /// The length of buffers that do not grow, in bytes.
    pub(crate) buffer: usize,
    /// The longest frame that a receiver with a limit is to accept, if that is past what it does by default.
    pub(crate) limit: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { send_buffer: None, buffer: 128 * 1024, limit: None }
    }
}

/// One end of a connection.
pub(crate) trait End: Send {
    /// Sends these messages, waiting for room.
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()>;

    /// Receives `count` messages, waiting for them.
    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()>;

    /// Sends `count` messages, and after each one waits for the answer.
    fn ask(&mut self, feed: &mut Feed, inbox: &mut Inbox, count: u64) -> Result<()> {
        for _ in 0..count {
            self.send(&[feed.next()?])?;
            self.receive(inbox, 1)?;
        }
        Ok(())
    }

    /// Answers `count` messages.
    fn answer(&mut self, feed: &mut Feed, inbox: &mut Inbox, count: u64) -> Result<()> {
        for _ in 0..count {
            self.receive(inbox, 1)?;
            self.send(&[feed.next()?])?;
        }
        Ok(())
    }
}

/// Both ends of a connection.
pub(crate) type Ends = (Box<dyn End>, Box<dyn End>);

impl Way {
    /// Connects two ends.
    pub(crate) fn pair(self, settings: &Settings) -> Result<Ends> {
        match self {
            Self::TypedAll => typed::pair(settings, typed::Mode::All),
            Self::TypedEach => typed::pair(settings, typed::Mode::Each),
            Self::TypedOne => typed::pair(settings, typed::Mode::One),
            Self::Floor => floor::pair(settings),
            Self::Bare => bare::pair(settings),
            Self::Buffered => buffered::pair(settings),
            Self::Peeked => peeked::pair(settings),
            Self::Uds => uds::pair(settings),
            Self::IpcChannel => ipc_channel::pair(),
            Self::TokioSeqpacket => tokio_seqpacket::pair(settings),
            Self::TokioUnixIpc => tokio_unix_ipc::pair(settings),
            Self::Tarpc => tarpc::pair(),
            Self::Tube => tube::pair(settings),
        }
    }

    /// What it is called in the report.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::TypedAll => "datagrammar, send_all",
            Self::TypedEach => "datagrammar, send",
            Self::TypedOne => "datagrammar, one at a time",
            Self::Floor => "sendmmsg + peek + recvmmsg, bare bytes",
            Self::Bare => "send + recv, bare bytes",
            Self::Buffered => "send + recv, bincode",
            Self::Peeked => "send + peek + recv, bincode",
            Self::Uds => "uds 0.4.2 + bincode",
            Self::IpcChannel => "ipc-channel 0.23.1",
            Self::TokioSeqpacket => "tokio-seqpacket 0.9.1 + bincode",
            Self::TokioUnixIpc => "tokio-unix-ipc 0.4.0",
            Self::Tarpc => "tarpc 0.38",
            Self::Tube => "peek + vec![0; n] + JSON",
        }
    }

    /// What it is called on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether it is one of ours.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::TypedAll | Self::TypedEach | Self::TypedOne)
    }
}
