//! Parts of calls that are encoded, and can be queued.

use std::io::IoSlice;

use crate::backlog::HeldFrame;
use crate::bundle::Bundle;
use crate::error::SendError;
use crate::sys::Kind;
use crate::transport::{Outgoing, check_descriptors};

/// A part that can be queued: nothing can fail any more, and no lock is held while a large frame is copied.
#[derive(Debug)]
pub(crate) enum Ready<'p> {
    /// A part that may share a datagram. The queue copies it.
    Small { slices: &'p [IoSlice<'p>], len: usize },
    /// A part that owns its bytes and descriptors.
    Held(HeldFrame),
}

impl<'p> Ready<'p> {
    /// Fails if a connection of this kind does not carry the descriptors of `part`, and if there is no memory for it.
    #[inline]
    pub(super) fn new(part: Outgoing<'p>, kind: Kind) -> Result<Self, SendError> {
        match Bundle::admits(part.len, part.descriptors.len()) {
            true => Ok(Self::Small { slices: part.slices, len: part.len }),
            false => Self::hold(part, kind).map(Self::Held),
        }
    }

    /// Copies `part`. Fails as [`new`](Self::new).
    pub(super) fn hold(part: Outgoing<'_>, kind: Kind) -> Result<HeldFrame, SendError> {
        match part.descriptors.len() {
            0 => {}
            count => check_descriptors(kind, count)?,
        }
        HeldFrame::copy(part, Vec::new())
    }
}
