//! Decides whether a receive begins with the peek or with the read.

/// The most receives that begin with the peek before the next try of the read.
const MAX_PATIENCE: u8 = 64;

/// Which call begins the next receive: the peek, which waits, or the read, which takes a queued datagram.
///
/// If a receiver waits for each frame, a read first is a wasted call. If frames are queued, a peek first is a
/// wasted call. Only a read can tell. A receiver tries it again after some frames, and less often each time
/// that it finds nothing.
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
