//! An outgoing frame: slices and descriptors.

use std::io::IoSlice;
use std::os::fd::BorrowedFd;

/// A frame to send, and its descriptors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'o> {
    /// The frame's bytes, in slices.
    pub(crate) slices: &'o [IoSlice<'o>],
    pub(crate) descriptors: &'o [BorrowedFd<'o>],
    /// The frame's length: the sum of the slices.
    pub(crate) len: usize,
}
