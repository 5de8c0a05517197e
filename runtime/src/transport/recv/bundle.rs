//! Moves through the frames of a bundle.

use std::ops::Range;

use crate::error::{BundleFault, RecvError};
use crate::wire::{HEAD_LEN, is_frame, read_frame_len};

/// The position in a bundle whose frames are received one by one.
#[derive(Debug, Default)]
pub(super) struct BundleCursor {
    /// The number of frames left.
    left: u64,
    /// The position of the next length in the datagram, which has at most `MAX_BUNDLE` bytes.
    at: u32,
    /// How many bytes follow the last frame, after that frame was returned. `left` then stays 1, to report the fault.
    trailing: u32,
}

impl BundleCursor {
    /// Begins a bundle of `count` frames.
    pub(super) fn new(count: u64) -> Self {
        Self { left: count, at: HEAD_LEN as u32, trailing: 0 }
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.left > 0
    }

    /// Moves to the next frame of the bundle `bytes`, and returns its range. A fault ends the bundle. With `calls`,
    /// the frames may be parts of calls.
    #[inline]
    pub(super) fn next(&mut self, bytes: &[u8], calls: bool) -> Result<Range<usize>, RecvError> {
        let frame = self.find(bytes, calls).map_err(|fault| {
            self.left = 0;
            RecvError::BadBundle(fault)
        })?;
        self.at = frame.end as u32;
        match bytes.len() - frame.end {
            trailing @ 1.. if self.left == 1 => {
                (self.at, self.trailing) = (bytes.len() as u32, trailing as u32);
            }
            _ => self.left -= 1,
        }
        Ok(frame)
    }

    /// Returns the range of the next frame. With `calls`, it may be a part of a call.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8], calls: bool) -> Result<Range<usize>, BundleFault> {
        let at = self.at as usize;
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Err(match self.trailing {
                0 => BundleFault::Missing { missing: self.left },
                left => BundleFault::Trailing { left: left as usize },
            });
        }
        let Some((len, rest)) = read_frame_len(rest) else {
            return Err(BundleFault::Length { at });
        };
        let at = bytes.len() - rest.len();
        let frame = usize::try_from(len).ok().and_then(|len| rest.get(..len));
        match frame {
            None => Err(BundleFault::Overrun { at, len, left: rest.len() }),
            Some(frame) if is_frame(frame, calls) => Ok(at..at + frame.len()),
            Some(_) => Err(BundleFault::NotAFrame { at }),
        }
    }
}
