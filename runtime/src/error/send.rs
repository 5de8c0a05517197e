//! Why a message was not sent.

use std::io;

use thiserror::Error;

use super::EncodeError;
use super::count::{bytes, number_of, with};
use crate::sys::{EACCES, is_exhausted, is_of_destination};

/// Why a message was not sent.
///
/// The caller still has it, because sending borrows.
///
/// All lengths are in bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The message could not be encoded.
    #[error("the message cannot be encoded")]
    Encode(#[from] EncodeError),

    /// The socket has no room, and the call does not wait.
    #[error("the socket has no room for a frame of {} now: send it again later", bytes(*.len))]
    WouldBlock {
        /// The frame's length.
        len: usize,
    },

    /// The socket had no room before the deadline.
    #[error("the socket had no room for a frame of {} before the deadline", bytes(*.len))]
    TimedOut {
        /// The frame's length.
        len: usize,
    },

    /// The queue has no room, or other calls already wait for room, and this call does not wait.
    #[error(
        "a queue of {} has no room for a frame of {} now: send it again later",
        bytes(*.capacity), bytes(*.len)
    )]
    Full {
        /// The frame's length.
        len: usize,
        /// The capacity of the queue.
        capacity: usize,
    },

    /// The queue no longer accepts messages: it was closed, or its driver failed or was dropped.
    #[error("the queue is closed, or its driver has ended: the driver's result says why")]
    Closed,

    /// The frame is longer than one datagram of this socket, and cannot travel in pieces (UDP).
    #[error(
        "a frame of {} is longer than one datagram of this socket{}: send shorter messages, or use a UNIX socket or a connection",
        bytes(*.len), max_len_suffix(*.max)
    )]
    TooLarge {
        /// The frame's length.
        len: usize,
        /// The longest datagram of the socket, if known.
        max: Option<usize>,
    },

    /// The socket carries no descriptors: only UNIX sockets do.
    #[error(
        "{} cannot travel over {family}: only UNIX sockets carry descriptors",
        number_of(*.count, "descriptor")
    )]
    NoDescriptors {
        /// How many the message has.
        count: usize,
        /// The family of the socket.
        family: &'static str,
    },

    /// The message has more descriptors than one datagram can carry.
    #[error(
        "{} {} more than the {max} that one frame can carry",
        number_of(*.count, "descriptor"), with(*.count, "is", "are")
    )]
    TooManyDescriptors {
        /// How many the message has.
        count: usize,
        /// The most that the frame can carry.
        max: usize,
    },

    /// The peer refuses descriptors: its message type has no `fd` fields.
    #[error(
        "the message has {}, but the peer accepts none: the message type that it receives needs `fd` fields",
        number_of(*.count, "descriptor")
    )]
    DescriptorsRefused {
        /// How many the message has.
        count: usize,
    },

    /// The frame was decoded, which moved its descriptors into the message.
    #[error(
        "decoding the frame took its {}: send it before decoding it",
        number_of(*.count, "descriptor")
    )]
    DescriptorsTaken {
        /// How many were taken.
        count: usize,
    },

    /// The peer of a connection has closed, or has shut down receiving. Frames that it sent can still be received.
    /// On a socket without a peer: this socket was shut down.
    #[error("the peer is gone, or has stopped receiving")]
    Disconnected,

    /// Nobody receives at the destination: its socket is closed, has shut down receiving, or never existed.
    #[error("nobody receives at the destination: start the receiver, or check the address")]
    Refused,

    /// The destination is of another family than the socket, or the socket there has another type.
    #[error("nothing can be sent to {address} from this socket: expected {expected}")]
    WrongFamily {
        /// The address.
        address: Box<str>,
        /// The kind that was expected.
        expected: &'static str,
    },

    /// The destination has no address: a datagram came from a UNIX socket that was never bound, and cannot be
    /// answered.
    #[error(
        "the destination has no address, because its socket was never bound: bind it, with Socket::bind, to answer it"
    )]
    NoAddress,

    /// The operating system refused.
    #[error("sending a frame of {} failed{}", bytes(*.len), hint(.source))]
    Io {
        /// The frame's length.
        len: usize,
        /// Why it failed.
        source: io::Error,
    },
}

impl SendError {
    /// Returns whether the endpoint can no longer send, and should be dropped.
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
            Self::Disconnected | Self::Closed => true,
            // Descriptors or memory may suffice later, and other destinations may be reachable.
            Self::Io { source, .. } => {
                !is_exhausted(source)
                    && source.kind() != io::ErrorKind::OutOfMemory
                    && !is_of_destination(source)
            }
            _ => false,
        }
    }
}

/// Why some of several messages were not sent.
///
/// The caller still has those messages.
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
#[error(
    "{} {} sent, and the next one was not",
    number_of(*.sent, "message"), with(*.sent, "was", "were")
)]
#[non_exhaustive]
pub struct SendAllError {
    /// How many messages were sent, in order.
    pub sent: usize,
    /// Why the next one was not sent.
    #[source]
    pub error: SendError,
}

/// Returns what to do if the operating system refused.
fn hint(source: &io::Error) -> &'static str {
    let is_forbidden = source.raw_os_error() == Some(EACCES);
    match is_forbidden {
        true => {
            " (over UNIX, it needs write permission on the path: see the receiver's Options::mode)"
        }
        false => "",
    }
}

fn max_len_suffix(max: Option<usize>) -> String {
    max.map_or_else(String::new, |max| format!(", which is {max}"))
}
