//! Why no frame could be handed over.

use std::io;

use thiserror::Error;

use super::{FragmentFault, MemoryFault};

/// Why a receive handed over no frame.
///
/// All lengths are bytes. After each of these the endpoint can still be used: the next receive takes the
/// next frame, or after [`NoMemory`](Self::NoMemory) perhaps the same one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecvError {
    /// Nothing is there, and the call was one that does not wait.
    #[error("no frame is there yet")]
    WouldBlock,

    /// Nothing came before the deadline.
    #[error("no frame came before the deadline")]
    TimedOut,

    /// The frame is longer than the receiver's limit. It was dropped: nothing of it is handed over, and no memory
    /// is kept for it.
    #[error(
        "a frame of {len} bytes is over the limit of {limit}, and was dropped (see Limits::frame_len)"
    )]
    TooLarge {
        /// The frame's length.
        len: usize,
        /// The limit.
        limit: usize,
    },

    /// Another holder of the descriptor took the datagram that was peeked, and the one that came in its
    /// place did not fit the room made: it was cut, so it was dropped. That happens to a
    /// [`Socket`](crate::Socket), to pieces of a large frame, and where lanes are too short or not to be had.
    #[error(
        "another holder of the descriptor took the datagram of {peeked} bytes that was peeked, and the next one, of {len}, was lost (share a descriptor only between receivers of one process, behind a lock)"
    )]
    Stolen {
        /// The length that the peek reported.
        peeked: usize,
        /// The length of the frame that was lost.
        len: usize,
    },

    /// A large frame that came in pieces ended before its last one: its sender gave up, or died. What had
    /// come of it is dropped.
    #[error("a frame of {total} bytes ended after {received}: its sender gave up, or died")]
    Incomplete {
        /// How much of it came.
        received: usize,
        /// How long it would have been.
        total: usize,
    },

    /// A datagram came that says it is a piece of a frame, and cannot be. It is dropped, with the frame
    /// and all its further pieces.
    #[error(transparent)]
    BadFragment(FragmentFault),

    /// A datagram came that says its frame is in memory beside it, and that memory cannot be used. The
    /// frame is dropped.
    #[error("a frame that came as memory is dropped")]
    BadMemory(#[source] MemoryFault),

    /// Descriptors that came with a frame could not be given to this process, so the frame was
    /// refused: it is dropped, and those that had been received are closed.
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

    /// An empty datagram came. No frame is empty, so a program that does not speak this protocol
    /// sent it. (On a connection an empty datagram cannot be told from the end, and is the end.)
    #[error("an empty datagram came, which is never a frame")]
    Empty,

    /// A datagram sent earlier from this socket found nobody at its destination: over UDP, from a socket that
    /// is connected (which [`peek_len`](crate::peek_len) takes, and `Socket` does not) or has `IP_RECVERR`
    /// set. The kernel says so once, on the next call; the frames that are queued are not affected.
    #[error("an earlier datagram found nobody at its destination")]
    Refused,

    /// There is no memory for a frame of this length. It is still queued if it is one datagram;
    /// otherwise it is dropped.
    #[error("no memory for a frame of {len} bytes")]
    NoMemory {
        /// The frame's length.
        len: usize,
    },

    /// The descriptor is not one that keeps datagrams apart.
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
