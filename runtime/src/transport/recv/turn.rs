//! Whether a receive begins with the peek or with the read.

/// The most receives that begin with the peek before a read is tried again.
const MAX_PATIENCE: u8 = 64;

/// Whose turn it is: the peek's, which waits, or the read's, which takes what is queued.
///
/// Where frames have to be waited for, beginning with the read costs a call that finds nothing. Where
/// frames are queued, beginning with the peek costs a call for each. Only a read tells which it is. It
/// is tried again after some frames that were waited for, and ever more rarely while it finds nothing.
#[derive(Debug)]
pub(super) struct Turn {
    /// How many more receives begin with the peek.
    left: u8,
    /// What `left` becomes when a read finds nothing.
    patience: u8,
}

impl Turn {
    pub(super) const fn new() -> Self {
        Self { left: 4, patience: 4 }
    }

    #[inline]
    pub(super) fn is_the_reads(&self) -> bool {
        self.left == 0
    }

    /// Notes that a read found a datagram at once.
    #[inline]
    pub(super) fn found(&mut self) {
        *self = Self { left: 0, patience: 1 };
    }

    /// Notes that a read found nothing.
    pub(super) fn missed(&mut self) {
        self.left = self.patience;
        self.patience = (self.patience * 2).min(MAX_PATIENCE);
    }

    /// Notes that a datagram was waited for.
    pub(super) fn waited(&mut self) {
        self.left = self.left.saturating_sub(1);
    }
}
