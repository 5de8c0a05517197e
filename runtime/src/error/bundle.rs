//! What is wrong with a bundle.

use thiserror::Error;

/// What is wrong with a datagram that says it is a bundle of frames: its sender does not keep to the
/// [wire](crate::wire). All lengths and places are bytes.
///
/// The frames before the fault have been received. The rest of the datagram is dropped.
///
/// ```
/// use std::os::linux::net::SocketAddrExt as _;
/// use std::os::unix::net::{SocketAddr, UnixDatagram};
///
/// use datagrammar::{BundleFault, Message, RecvError, Socket};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// let mut ours = Socket::<Ping, Ping>::bind(&"unix:@datagrammar-doc-bundle".parse()?)?;
/// let theirs = UnixDatagram::unbound()?;
/// theirs.connect_addr(&SocketAddr::from_abstract_name("datagrammar-doc-bundle")?)?;
/// // Two frames, the second of which says that it has 9 bytes.
/// theirs.send(&[0, 4, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 1, 9, 1])?;
/// let (frame, _from) = ours.recv_from()?;
/// assert!(matches!(frame.decode()?, Ping::Ping));
/// let fault = BundleFault::Overrun { at: 17, len: 9, left: 1 };
/// assert!(matches!(ours.recv_from(), Err(RecvError::BadBundle(found)) if found == fault));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleFault {
    /// The datagram is longer than a bundle may be.
    #[error("a bundle of {len} bytes is longer than the {max} that one may have")]
    Long {
        /// The datagram's length.
        len: usize,
        /// The longest bundle.
        max: usize,
    },

    /// The bundle ends before all of the frames that it announces.
    #[error("a bundle ends with {missing} of its frames missing")]
    Missing {
        /// How many frames are missing.
        missing: u64,
    },

    /// The length of a frame cannot be read.
    #[error("byte {at} of a bundle does not begin the length of a frame")]
    Length {
        /// Where the length should be.
        at: usize,
    },

    /// A frame goes past the end of the bundle.
    #[error(
        "a frame of {len} bytes at byte {at} of a bundle goes past its end: {left} bytes are left"
    )]
    Overrun {
        /// Where the frame begins.
        at: usize,
        /// The length that is written before it.
        len: u64,
        /// How many bytes are left.
        left: usize,
    },

    /// A frame is empty, or begins with tag 0, which is the runtime's own.
    #[error(
        "byte {at} of a bundle does not begin a frame: a frame is not empty, and its tag is not 0"
    )]
    NotAFrame {
        /// Where the frame should be.
        at: usize,
    },

    /// Bytes are left after the last frame.
    #[error("{left} bytes are left after the last frame of a bundle")]
    Trailing {
        /// How many bytes are left.
        left: usize,
    },

    /// Descriptors came beside the bundle. They are closed.
    #[error("{count} descriptors came with a bundle, which carries none")]
    Descriptors {
        /// How many came.
        count: usize,
    },
}
