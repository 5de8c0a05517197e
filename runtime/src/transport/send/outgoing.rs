//! What is sent: a frame in slices, and the descriptors beside it.

use std::io::IoSlice;
use std::os::fd::BorrowedFd;

/// A frame to send, and the descriptors that travel beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'o> {
    /// The frame's bytes, in slices.
    pub(crate) slices: &'o [IoSlice<'o>],
    pub(crate) descriptors: &'o [BorrowedFd<'o>],
    /// The frame's length: that of the slices together.
    pub(crate) len: usize,
}
