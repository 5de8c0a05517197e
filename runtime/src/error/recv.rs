//! Why no frame was received.

use std::io;

use thiserror::Error;

use super::count::{bytes, number_of, with};
use super::{BundleFault, FragmentFault, MemoryFault};

/// Why a receive returned no frame.
///
/// All lengths are in bytes. The endpoint stays usable unless [`is_fatal`](Self::is_fatal) returns `true`.
/// After [`NoMemory`](Self::NoMemory) the same frame may be received again; after other errors, the next one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecvError {
    /// No complete frame is queued, and the call does not wait.
    #[error("no complete frame is queued")]
    WouldBlock,

    /// No complete frame arrived before the deadline.
    #[error("no complete frame arrived before the deadline")]
    TimedOut,

    /// The frame is longer than the receiver's limit. It is dropped.
    #[error(
        "a frame of {} exceeds the limit of {limit}, and was dropped: see Limits::frame_len",
        bytes(*.len)
    )]
    TooLarge {
        /// The frame's length.
        len: usize,
        /// The limit.
        limit: usize,
    },

    /// The endpoints that share a [`Budget`](crate::Budget) hold too many bytes of incomplete frames to admit a frame
    /// of this length. The frame is dropped, with its further pieces. Shorter frames may still be admitted. When other
    /// frames are complete, this length may be admitted, too: let the peer send the frame again later.
    #[error(
        "a frame of {} exceeds the budget, and was dropped: incomplete frames hold {held} of {}, and a new one may \
         take half of the rest: raise Budget::frame_bytes, or let the sender repeat it later",
        bytes(*.len), bytes(*.budget)
    )]
    OverBudget {
        /// The length that its sender announced.
        len: usize,
        /// How many bytes other incomplete frames hold.
        held: usize,
        /// How many bytes they may hold in all.
        budget: usize,
    },

    /// A large frame ended before its last piece: its sender gave up, or died. The pieces are dropped.
    #[error("a frame of {} ended after {received}: its sender gave up or died", bytes(*.total))]
    Incomplete {
        /// How much of it arrived.
        received: usize,
        /// The length that its sender announced.
        total: usize,
    },

    /// A large frame arrives in many small pieces. A call that does not wait, or waits until a deadline, stops
    /// after 1,024 pieces, and keeps them. Call again.
    #[error(
        "{received} of {} of a large frame arrived, and more may be queued: call again",
        bytes(*.total)
    )]
    Unfinished {
        /// How much of it arrived.
        received: usize,
        /// Its length.
        total: usize,
    },

    /// A piece of a frame is malformed. The frame is dropped, with all of its pieces.
    #[error(transparent)]
    BadFragment(FragmentFault),

    /// A bundle is malformed. The rest of it is dropped.
    #[error(transparent)]
    BadBundle(BundleFault),

    /// The sealed memory of a large frame cannot be used. The frame is dropped.
    #[error("a frame in sealed memory cannot be read, and was dropped")]
    BadMemory(#[source] MemoryFault),

    /// Some descriptors of a frame could not be received. The frame is dropped, and the descriptors that
    /// were received are closed.
    #[error(
        "{} of a frame {} received, and the next one {}; the frame was dropped",
        number_of(*.received, "descriptor"), with(*.received, "was", "were"), describe_limit(*.limit)
    )]
    DescriptorsLost {
        /// How many were received.
        received: usize,
        /// How many descriptors this process may have open (`RLIMIT_NOFILE`), if that is the reason.
        limit: Option<u64>,
    },

    /// An empty datagram arrived. No frame is empty, so its sender does not speak this protocol. (An empty
    /// datagram directly before the end of a connection counts as the end.)
    #[error("an empty datagram arrived, which is never a frame")]
    Empty,

    /// An earlier datagram from this socket reached no receiver. The kernel reports this once, on the next call,
    /// for UDP sockets that are connected or have `IP_RECVERR` set. Queued frames are not affected.
    #[error("an earlier datagram from this socket reached no receiver")]
    Refused,

    /// There is no memory for a frame of this length, and the frame was dropped. Or there is no address space for a
    /// lane of this length, and the next frame is still queued.
    #[error("no memory or address space for {}: free some, or raise RLIMIT_AS", bytes(*.len))]
    NoMemory {
        /// How many bytes were needed.
        len: usize,
    },

    /// The socket was shut down for receiving, and no more frames arrive.
    #[error("the socket was shut down for receiving")]
    Shutdown,

    /// The descriptor does not preserve datagram boundaries, or its family does not report lengths.
    #[error("cannot receive frames from {found}: expected {expected}")]
    WrongDescriptor {
        /// A description of the descriptor.
        found: String,
        /// The kind that was expected.
        expected: &'static str,
    },

    /// The operating system refused.
    #[error("receiving a frame failed")]
    Io(#[from] io::Error),
}

impl RecvError {
    /// Returns whether the endpoint can no longer receive, and should be dropped.
    ///
    /// ```
    /// use datagrammar::RecvError;
    ///
    /// assert!(!RecvError::TooLarge { len: 100, limit: 10 }.is_fatal());
    /// assert!(RecvError::Shutdown.is_fatal());
    /// ```
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Shutdown | Self::WrongDescriptor { .. } | Self::Io(_))
    }
}

fn describe_limit(limit: Option<u64>) -> String {
    match limit {
        Some(limit) => format!(
            "would exceed the {limit} that this process may have open (RLIMIT_NOFILE): close some, or raise the limit"
        ),
        None => {
            "was refused by the system, by its limit of open files or by a security module".into()
        }
    }
}
