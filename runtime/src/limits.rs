//! Policies of a receiver.

use crate::sys::MAX_LANES;

/// What a receiver accepts. A limit is a policy, not an allocation: nothing is reserved for it.
///
/// ```
/// use datagrammar::Limits;
///
/// let limits = Limits::default().frame_len(64 * 1024).batch(1);
/// assert_eq!(limits, Limits::default().batch(1).frame_len(65_536));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    pub(crate) frame_len: usize,
    pub(crate) batch: usize,
}

impl Limits {
    /// The longest frame that is received, in bytes; 16 MiB by default. A longer one is dropped,
    /// as [`RecvError::TooLarge`](crate::RecvError::TooLarge).
    #[must_use]
    pub fn frame_len(self, bytes: usize) -> Self {
        Self { frame_len: bytes, ..self }
    }

    /// The most frames that a [`Receiver`](crate::Receiver) takes from its socket by one call; 32 by
    /// default, which is also the most. More would save nothing (measured).
    ///
    /// 1 is for descriptors that others receive from, too: each receiver takes the frame that it is asked
    /// for and no further one, after a peek that waits without any memory.
    #[must_use]
    pub fn batch(self, frames: usize) -> Self {
        Self { batch: frames.clamp(1, MAX_LANES), ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { frame_len: 16 * 1024 * 1024, batch: MAX_LANES }
    }
}
