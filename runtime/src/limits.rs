//! Limits of a receiver.

/// Limits on what a receiver accepts.
///
/// They reserve no memory.
///
/// ```
/// use datagrammar::{Connection, Limits, Message, RecvError};
///
/// #[derive(Message)]
/// enum Text<'a> {
///     #[message(tag = 1)]
///     Line(&'a str),
/// }
///
/// let (mut ours, mut theirs) = Connection::<Text<'static>, Text<'static>>::pair()?;
/// theirs.rx.set_limits(Limits::new().frame_len(10));
/// ours.send(&Text::Line("far too long"))?;
/// assert!(matches!(theirs.recv(), Err(RecvError::TooLarge { len: 14, limit: 10 })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    pub(crate) frame_len: usize,
}

impl Limits {
    /// Returns the limits of the plain constructors: frames of up to 16 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self { frame_len: 16 * 1024 * 1024 }
    }

    /// Sets the longest frame that the receiver accepts, in bytes; 16 MiB by default. A longer frame is dropped, with
    /// [`RecvError::TooLarge`](crate::RecvError::TooLarge).
    #[must_use]
    pub fn frame_len(self, bytes: usize) -> Self {
        Self { frame_len: bytes }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
