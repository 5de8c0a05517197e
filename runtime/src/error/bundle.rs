//! Faults of bundles.

use thiserror::Error;

use super::count::{bytes, number_of, with};

/// What is wrong with a bundle: its sender violates the [wire](crate::wire) format.
///
/// All lengths and positions are in bytes.
///
/// The frames before the fault were received. The rest of the datagram is dropped.
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
/// // Two frames. The second one claims 9 bytes.
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
    #[error("a bundle of {} is longer than the maximum of {max}", bytes(*.len))]
    Long {
        /// The datagram's length.
        len: usize,
        /// The longest bundle.
        max: usize,
    },

    /// The bundle ends before all of its announced frames.
    #[error("a bundle ends {} early", number_of(*.missing, "frame"))]
    Missing {
        /// How many frames are missing.
        missing: u64,
    },

    /// The length of a frame cannot be read.
    #[error("byte {at} of a bundle does not begin a valid frame length")]
    Length {
        /// The position of the length.
        at: usize,
    },

    /// A frame extends past the end of the bundle.
    #[error(
        "a frame of {} at byte {at} of a bundle exceeds the {} left",
        bytes(*.len), bytes(*.left)
    )]
    Overrun {
        /// The position of the frame.
        at: usize,
        /// The length written before it.
        len: u64,
        /// How many bytes are left.
        left: usize,
    },

    /// A frame is empty, or begins with the reserved tag 0.
    #[error(
        "byte {at} of a bundle does not begin a frame: a frame has at least 1 byte, and its tag is not 0"
    )]
    NotAFrame {
        /// The position of the frame.
        at: usize,
    },

    /// Bytes follow the last frame.
    #[error("{} {} the last frame of a bundle", bytes(*.left), with(*.left, "follows", "follow"))]
    Trailing {
        /// How many bytes follow.
        left: usize,
    },

    /// Descriptors came with the bundle. They are closed.
    #[error("{} came with a bundle, which cannot carry any", number_of(*.count, "descriptor"))]
    Descriptors {
        /// How many came.
        count: usize,
    },
}
