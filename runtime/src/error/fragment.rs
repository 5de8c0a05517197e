//! What is wrong with a piece of a frame.

use thiserror::Error;

/// What is wrong with a datagram that says it is a piece of a frame: its sender does not keep to the
/// [wire](crate::wire). All numbers are bytes.
///
/// ```
/// use std::os::linux::net::SocketAddrExt as _;
/// use std::os::unix::net::{SocketAddr, UnixDatagram};
///
/// use datagrammar::{FragmentFault, Message, RecvError, Socket};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// let mut ours = Socket::<Ping, Ping>::bind(&"unix:@datagrammar-doc-fragment".parse()?)?;
/// let theirs = UnixDatagram::unbound()?;
/// theirs.connect_addr(&SocketAddr::from_abstract_name("datagrammar-doc-fragment")?)?;
/// theirs.send(&[0, 3])?;
/// let refused = ours.recv_from();
/// assert!(matches!(refused, Err(RecvError::BadFragment(FragmentFault::Short { len: 2 }))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FragmentFault {
    /// It is too short for the head of a piece and a byte of the frame, or for an envelope.
    #[error("a datagram of {len} bytes with tag 0 is too short to be a piece of a frame")]
    Short {
        /// The datagram's length.
        len: usize,
    },

    /// It is an envelope of a frame that comes as memory, and has more in it.
    #[error(
        "a datagram of {len} bytes is too long to be the envelope of a frame that comes as memory"
    )]
    Long {
        /// The datagram's length.
        len: usize,
    },

    /// It is of a kind that this version does not know, or that does not belong here.
    #[error("a datagram with tag 0 is of kind {0}, which is not one of this socket's")]
    Kind(u8),

    /// It is a further piece, and no frame has been begun.
    #[error("a piece begins at byte {offset} of a frame that was not begun")]
    Orphan {
        /// Where it says that it begins.
        offset: u64,
    },

    /// It is a further piece, of another frame than the one that has been begun: two senders share the
    /// connection, and do not take turns.
    #[error("a piece of frame {found} came inside of frame {expected}")]
    OtherFrame {
        /// The number of the frame that has been begun.
        expected: u32,
        /// The number of the piece's frame.
        found: u32,
    },

    /// It does not begin where the piece before it ended.
    #[error("a piece begins at byte {found} of its frame: expected {expected}")]
    Offset {
        /// How much of the frame has come.
        expected: usize,
        /// Where it says that it begins.
        found: u64,
    },

    /// It goes past the end of its frame.
    #[error("a piece of {len} bytes at byte {offset} goes past the end of its frame of {total}")]
    Overrun {
        /// Where it begins.
        offset: usize,
        /// How long it is.
        len: usize,
        /// How long the first piece says that the frame is.
        total: usize,
    },
}
