//! Why no frame could be handed over.

use std::io;

use thiserror::Error;

use super::{BundleFault, FragmentFault, MemoryFault};

/// Why a receive returned no frame.
///
/// All lengths are bytes. The endpoint stays usable after each of these, unless
/// [`is_fatal`](Self::is_fatal) says otherwise: the next receive takes the next frame.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecvError {
    /// No frame is there, and the call does not wait.
    #[error("no frame is there yet")]
    WouldBlock,

    /// No frame came before the deadline.
    #[error("no frame came before the deadline")]
    TimedOut,

    /// The frame is longer than the receiver's limit. It is dropped.
    #[error(
        "a frame of {len} bytes is over the limit of {limit}, and was dropped (see Limits::frame_len)"
    )]
    TooLarge {
        /// The frame's length.
        len: usize,
        /// The limit.
        limit: usize,
    },

    /// A large frame that came in pieces ended before its last one: its sender gave up, or died. What
    /// came of it is dropped.
    #[error("a frame of {total} bytes ended after {received}: its sender gave up, or died")]
    Incomplete {
        /// How much of it came.
        received: usize,
        /// How long it would have been.
        total: usize,
    },

    /// A large frame is coming in many small pieces, and a call that does not wait, or has a deadline,
    /// has read its share of them. What came is kept: call again.
    #[error(
        "{received} of {total} bytes of a large frame are here, and more may be queued: call again"
    )]
    Unfinished {
        /// How much of it came.
        received: usize,
        /// How long it is.
        total: usize,
    },

    /// A datagram says that it is a piece of a frame, and cannot be. It is dropped, with the frame and
    /// all its further pieces.
    #[error(transparent)]
    BadFragment(FragmentFault),

    /// A datagram says that it is a bundle of frames, and is not. The rest of it is dropped.
    #[error(transparent)]
    BadBundle(BundleFault),

    /// A datagram says that its frame is in memory beside it, and that memory cannot be used. The frame
    /// is dropped.
    #[error("a frame that came as memory is dropped")]
    BadMemory(#[source] MemoryFault),

    /// Descriptors that came with a frame could not be given to this process. The frame is dropped, and
    /// the descriptors that could be received are closed.
    #[error(
        "descriptors were lost, and the frame with them: {received} could be received, and the next {}",
        obstacle(*.limit)
    )]
    DescriptorsLost {
        /// How many could be received.
        received: usize,
        /// How many this process may have open (`RLIMIT_NOFILE`), if that was the reason.
        limit: Option<u64>,
    },

    /// An empty datagram came. No frame is empty, so a program that does not speak this protocol sent
    /// it. (An empty datagram that is the last one before the end of a connection is part of the end.)
    #[error("an empty datagram came, which is never a frame")]
    Empty,

    /// An earlier datagram from this socket found nobody at its destination. The kernel says so on UDP
    /// sockets that are connected, or have `IP_RECVERR` set, once, on the next call. Queued frames are
    /// not affected.
    #[error("an earlier datagram found nobody at its destination")]
    Refused,

    /// There is no memory for a frame of this length, which is dropped; or no address space for a lane of
    /// this length, and then the frame is still queued.
    #[error("no memory for {len} bytes")]
    NoMemory {
        /// How many bytes there is no memory for.
        len: usize,
    },

    /// The socket has been shut down for receiving. Nothing more comes.
    #[error("the socket has been shut down")]
    Shutdown,

    /// The descriptor does not keep datagrams apart.
    #[error("cannot receive frames from {found}: expected {expected}")]
    WrongDescriptor {
        /// What the descriptor is.
        found: String,
        /// What was expected.
        expected: &'static str,
    },

    /// The operating system refused.
    #[error("the receive failed")]
    Io(#[from] io::Error),
}

impl RecvError {
    /// Whether the endpoint is of no more use for receiving: give it up.
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

fn obstacle(limit: Option<u64>) -> String {
    match limit {
        Some(limit) => format!(
            "would be over the {limit} that this process may have open (RLIMIT_NOFILE): close some, or raise that"
        ),
        None => {
            "was refused by the system: by its limit of open files, or by a security module".into()
        }
    }
}
