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
}

impl Bundle {
    /// Begins a bundle of `count` frames.
    pub(super) fn new(count: u64) -> Self {
        Self { left: count, at: HEAD_LEN }
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.left > 0
    }

    /// Moves to the next frame of the bundle `bytes`, and returns its range. A fault ends the bundle. A frame
    /// over `limit` is skipped, with an error.
    #[inline]
    pub(super) fn next(&mut self, bytes: &[u8], limit: usize) -> Result<Range<usize>, RecvError> {
        let frame = match self.find(bytes) {
            Ok(frame) => frame,
            Err(fault) => {
                self.left = 0;
                return Err(RecvError::BadBundle(fault));
            }
        };
        (self.left, self.at) = (self.left - 1, frame.end);
        if frame.len() > limit {
            return Err(RecvError::TooLarge { len: frame.len(), limit });
        }
        Ok(frame)
    }

    /// Returns the range of the next frame.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8]) -> Result<Range<usize>, BundleFault> {
        let rest = bytes.get(self.at..).unwrap_or_default();
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
            Some([first, ..]) if !is_reserved(*first) => match rest.len() - len as usize {
                left @ 1.. if self.left == 1 => Err(BundleFault::Trailing { left }),
                _ => Ok(at..at + len as usize),
            },
            Some(_) => Err(BundleFault::NotAFrame { at }),
        }
    }
}
