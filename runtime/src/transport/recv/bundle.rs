//! Iterates over the frames of a bundle.

use std::ops::Range;

use crate::error::{BundleFault, RecvError};
use crate::wire::{HEAD_LEN, is_reserved, read_frame_len};

/// The rest of a bundle.
#[derive(Debug, Default)]
pub(super) struct Bundle {
    /// The number of frames left.
    left: u64,
    /// The position of the next length in the datagram.
    at: usize,
    /// Whether a frame or a fault is left.
    is_open: bool,
}

impl Bundle {
    /// Begins a bundle of `count` frames.
    pub(super) fn new(count: u64) -> Self {
        Self { left: count, at: HEAD_LEN, is_open: true }
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Moves to the next frame of the bundle `bytes`, and returns its range. A fault ends the bundle. A frame
    /// over `limit` is skipped, with an error.
    #[inline]
    pub(super) fn next(&mut self, bytes: &[u8], limit: usize) -> Result<Range<usize>, RecvError> {
        let frame = match self.find(bytes) {
            Ok(frame) => frame,
            Err(fault) => {
                self.is_open = false;
                return Err(RecvError::BadBundle(fault));
            }
        };
        (self.left, self.at) = (self.left - 1, frame.end);
        self.is_open = self.left > 0 || self.at < bytes.len();
        if frame.len() > limit {
            return Err(RecvError::TooLarge { len: frame.len(), limit });
        }
        Ok(frame)
    }

    /// Returns the range of the next frame.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8]) -> Result<Range<usize>, BundleFault> {
        let rest = bytes.get(self.at..).unwrap_or_default();
        if self.left == 0 {
            return Err(BundleFault::Trailing { left: rest.len() });
        }
        if rest.is_empty() {
            return Err(BundleFault::Missing { missing: self.left });
        }
        let Some((len, rest)) = read_frame_len(rest) else {
            return Err(BundleFault::Length { at: self.at });
        };
        let at = bytes.len() - rest.len();
        let frame = usize::try_from(len).ok().and_then(|len| rest.get(..len));
        match frame {
            None => Err(BundleFault::Overrun { at, len, left: rest.len() }),
            Some(frame @ [first, ..]) if !is_reserved(*first) => Ok(at..at + frame.len()),
            Some(_) => Err(BundleFault::NotAFrame { at }),
        }
    }
}
