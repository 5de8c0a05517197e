//! Why a message was not sent.

use std::io;

use thiserror::Error;

use super::EncodeError;

/// Why a message was not sent. It still is the caller's: sending only borrows.
///
/// All lengths are bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The message could not be encoded.
    #[error("the message cannot be encoded")]
    Encode(#[from] EncodeError),

    /// There is no room, and the call was one that does not wait.
    #[error("the socket has no room for a frame of {len} bytes now")]
    WouldBlock {
        /// The frame's length.
        len: usize,
    },

    /// No room came before the deadline.
    #[error("the socket had no room for a frame of {len} bytes before the deadline")]
    TimedOut {
        /// The frame's length.
        len: usize,
    },

    /// The frame is longer than one datagram of this socket, and does not go in pieces (UDP).
    #[error("a frame of {len} bytes is larger than one datagram of this socket{}", ceiling(*.max))]
    TooLarge {
        /// The frame's length.
        len: usize,
        /// The most that the socket carries, where the kernel tells.
        max: Option<usize>,
    },

    /// The socket carries no descriptors: only UNIX sockets do.
    #[error("{count} descriptors cannot travel over {family}: only UNIX sockets carry them")]
    NoDescriptors {
        /// How many the message has.
        count: usize,
        /// What carries none.
        family: &'static str,
    },

    /// The message has more descriptors than the kernel lets travel with one datagram.
    #[error("{count} descriptors are more than travel with one frame, which is {max}")]
    TooManyDescriptors {
        /// How many the message has.
        count: usize,
        /// The most that travel.
        max: usize,
    },

    /// The peer's type has no `fd` fields, so that its kernel refuses descriptors.
    #[error("the peer takes no descriptors, and {count} are in the message")]
    DescriptorsRefused {
        /// How many the message has.
        count: usize,
    },

    /// The frame was decoded before, and that took its descriptors out of it.
    #[error("the {count} descriptors of the frame were taken when it was decoded: send it before")]
    DescriptorsTaken {
        /// How many were taken.
        count: usize,
    },

    /// The peer is gone, or has stopped receiving. Frames that it sent can still be received.
    #[error("the peer is gone, or has stopped receiving")]
    Disconnected,

    /// Nobody listens at the destination: its socket was closed, or was never there.
    #[error("nobody receives at the destination")]
    Refused,

    /// The operating system refused.
    #[error("sending a frame of {len} bytes failed")]
    Io {
        /// The frame's length.
        len: usize,
        /// Its reason.
        source: io::Error,
    },
}

impl SendError {
    /// Whether the endpoint is of no more use for sending: give it up.
    ///
    /// ```
    /// use datagrammar::SendError;
    ///
    /// assert!(!SendError::WouldBlock { len: 10 }.is_fatal());
    /// assert!(SendError::Disconnected.is_fatal());
    /// ```
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Disconnected => true,
            Self::Io { source, .. } => source.kind() != io::ErrorKind::OutOfMemory,
            _ => false,
        }
    }
}

/// Why not all of several messages were sent. Those that were not still are the caller's.
///
/// ```
/// use datagrammar::{Connection, Message, SendAllError, SendError, Wait};
///
/// #[derive(Message)]
/// enum Sample {
///     #[message(tag = 1)]
///     Load(f32),
/// }
///
/// let (mut ours, theirs) = Connection::<Sample, Sample>::pair()?;
/// drop(theirs);
/// let SendAllError { sent, error, .. } = ours.tx.send_all(&[Sample::Load(0.1)], Wait::Block).unwrap_err();
/// assert_eq!(sent, 0);
/// assert!(matches!(error, SendError::Disconnected));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error)]
#[error("{sent} messages were sent, and the next one was not")]
#[non_exhaustive]
pub struct SendAllError {
    /// How many were sent, in order, before the one that was not.
    pub sent: usize,
    /// Why that one was not.
    #[source]
    pub error: SendError,
}

fn ceiling(max: Option<usize>) -> String {
    max.map_or_else(String::new, |max| format!(", which is {max}"))
}
