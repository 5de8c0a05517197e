//! Faults of pieces of frames.

use thiserror::Error;

use super::count::bytes;

/// What is wrong with a piece of a frame, or another datagram with tag 0: its sender violates the
/// [wire](crate::wire) format.
///
/// All lengths and positions are in bytes.
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
    /// It is shorter than the head of 14 bytes, or is a piece without a byte of the frame.
    #[error("a datagram of {} with tag 0 is too short to be a piece of a frame", bytes(*.len))]
    Short {
        /// The datagram's length.
        len: usize,
    },

    /// It announces a frame in sealed memory, and has more bytes than the head.
    #[error(
        "a datagram of {} is too long to be the envelope of a frame in sealed memory",
        bytes(*.len)
    )]
    Long {
        /// The datagram's length.
        len: usize,
    },

    /// Its kind is unknown to this version, or not valid on this socket.
    #[error("a datagram with tag 0 has kind {0}, which is not valid on this socket")]
    Kind(u8),

    /// It is a further piece, but no frame is under assembly: the first piece did not arrive, or was dropped.
    #[error(
        "a piece begins at byte {offset} of a frame, but its first piece did not arrive or was dropped"
    )]
    Orphan {
        /// The position that it claims in the frame.
        offset: u64,
    },

    /// It is a further piece of a different frame, for example because two senders use the connection at the
    /// same time.
    #[error(
        "a piece of frame {found} arrived inside frame {expected}: let only one sender use the connection"
    )]
    OtherFrame {
        /// The number of the frame under assembly.
        expected: u32,
        /// The number of the piece's frame.
        found: u32,
    },

    /// It does not begin where the previous piece ended.
    #[error("a piece begins at byte {found} of its frame: expected {expected}")]
    Offset {
        /// How much of the frame has arrived.
        expected: usize,
        /// The position that it claims in the frame.
        found: u64,
    },

    /// It extends past the end of its frame.
    #[error(
        "a piece of {} at byte {offset} extends past the end of its frame of {}",
        bytes(*.len), bytes(*.total)
    )]
    Overrun {
        /// Its position in the frame.
        offset: usize,
        /// Its length.
        len: usize,
        /// The length of the frame, as the first piece says.
        total: usize,
    },
}
