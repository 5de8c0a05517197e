//! Policies of a receiver.

/// What a receiver accepts. A limit is a policy, not an allocation: nothing is reserved for it.
///
/// ```
/// use datagrammar::Limits;
///
/// let limits = Limits::default().frame_len(64 * 1024);
/// assert_eq!(limits, Limits::default().frame_len(65_536));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    pub(crate) frame_len: usize,
}

impl Limits {
    /// The longest frame that is received, in bytes; 16 MiB by default. A longer one is dropped
    /// unread, as [`RecvError::TooLarge`](crate::RecvError::TooLarge).
    #[must_use]
    pub fn frame_len(self, bytes: usize) -> Self {
        Self { frame_len: bytes, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { frame_len: 16 * 1024 * 1024 }
    }
}
