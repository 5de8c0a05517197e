//! Encoded parts of calls.

use std::io::IoSlice;

use crate::backlog::HeldFrame;
use crate::bundle::Bundle;
use crate::error::SendError;
use crate::sys::Kind;
use crate::transport::{Outgoing, check_descriptors};

/// An encoded part of a call. Queuing it cannot fail, and copies no large frame, which would hold up the lock.
#[derive(Debug)]
pub(crate) enum Ready<'p> {
    /// A part that may share a datagram. Queuing copies it.
    Small { slices: &'p [IoSlice<'p>], len: usize },
    /// A part that owns its bytes and descriptors.
    Held(HeldFrame),
}

impl<'p> Ready<'p> {
    /// Fails if a connection of this kind cannot carry the descriptors of `part`, or if there is no memory for it.
    #[inline]
    pub(super) fn new(part: Outgoing<'p>, kind: Kind) -> Result<Self, SendError> {
        match Bundle::admits(part.len, part.descriptors.len()) {
            true => Ok(Self::Small { slices: part.slices, len: part.len }),
            false => Self::hold(part, kind).map(Self::Held),
        }
    }

    /// Copies `part`. Fails like [`new`](Self::new).
    pub(super) fn hold(part: Outgoing<'_>, kind: Kind) -> Result<HeldFrame, SendError> {
        match part.descriptors.len() {
            0 => {}
            count => check_descriptors(kind, count)?,
        }
        HeldFrame::copy(part, Vec::new())
    }
}
