//! The ways of moving a message between two sockets of this process.

pub(crate) mod awaited;
pub(crate) mod codec;
pub(crate) mod datagrams;
mod ipc_channel;
mod plain;
pub(crate) mod typed;
mod uds;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::feed::{Feed, Inbox};
use crate::message::Note;

/// A way of moving a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Way {
    /// datagrammar: many messages at once.
    SendAll,
    /// datagrammar: one message at a time.
    Send,
    /// datagrammar: one message at a time, waiting in the read itself.
    Eager,
    /// datagrammar under tokio: one message at a time.
    Await,
    /// datagrammar under tokio: tasks send through a queue.
    Queue,
    /// System calls by hand, into a fixed buffer, and bincode.
    Plain,
    /// uds and bincode.
    Uds,
    IpcChannel,
    /// tokio-seqpacket and bincode.
    TokioSeqpacket,
    /// tokio-util's `UdpFramed` and bincode.
    UdpFramed,
    /// quinn-udp and bincode.
    QuinnUdp,
    /// tokio's `AsyncFd` and `recv` by hand, into a buffer that all connections share.
    BareAsyncFd,
}

/// Parameters that depend on the workload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// The send buffer of every socket that can be reached, in bytes, unless it is the system's default.
    pub(crate) send_buffer: Option<usize>,
    /// The length of fixed buffers, in bytes.
    pub(crate) buffer: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { send_buffer: None, buffer: 128 * 1024 }
    }
}

/// One end of a connection, or one of two datagram sockets.
pub(crate) trait End: Send {
    /// Sends these messages, waiting for room.
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()>;

    /// Receives `count` messages, waiting for them.
    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()>;

    /// Sends and receives `count` messages in turns. The side that `asks` sends first.
    fn converse(
        &mut self,
        asks: bool,
        feed: &mut Feed,
        inbox: &mut Inbox,
        count: u64,
    ) -> Result<()> {
        for _ in 0..count {
            if asks {
                self.send(&[feed.next()?])?;
            }
            self.receive(inbox, 1)?;
            if !asks {
                self.send(&[feed.next()?])?;
            }
        }
        Ok(())
    }
}

/// Two ends.
pub(crate) type Ends = (Box<dyn End>, Box<dyn End>);

impl Way {
    /// Connects two ends.
    pub(crate) fn pair(self, settings: &Settings) -> Result<Ends> {
        match self {
            Self::SendAll | Self::Send | Self::Eager => typed::pair(self, settings),
            Self::Await => awaited::typed_pair(settings),
            Self::Plain => plain::pair(settings),
            Self::Uds => uds::pair(settings),
            Self::IpcChannel => ipc_channel::pair(),
            Self::TokioSeqpacket => awaited::seqpacket_pair(settings),
            Self::Queue | Self::UdpFramed | Self::QuinnUdp | Self::BareAsyncFd => {
                bail!("{} is not for this workload", self.title())
            }
        }
    }

    /// Its name in the report.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::SendAll => "datagrammar, send_all",
            Self::Send => "datagrammar, send",
            Self::Eager => "datagrammar, send, eager",
            Self::Await => "datagrammar under tokio, send",
            Self::Queue => "datagrammar under tokio, into_queue",
            Self::Plain => "plain loop",
            Self::Uds => "uds 0.4.2 + bincode",
            Self::IpcChannel => "ipc-channel 0.23.1",
            Self::TokioSeqpacket => "tokio-seqpacket 0.9.1 + bincode",
            Self::UdpFramed => "tokio-util 0.7 UdpFramed + bincode",
            Self::QuinnUdp => "quinn-udp 0.5 + bincode",
            Self::BareAsyncFd => "AsyncFd alone",
        }
    }

    /// Whether it is for connections under tokio.
    pub(crate) fn is_of_tokio(self) -> bool {
        matches!(self, Self::Await | Self::Queue | Self::TokioSeqpacket | Self::BareAsyncFd)
    }

    /// Whether it is datagrammar.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::SendAll | Self::Send | Self::Eager | Self::Await | Self::Queue)
    }
}
