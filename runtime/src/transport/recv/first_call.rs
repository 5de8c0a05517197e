//! Decides whether a receive begins with the peek or with the read.

/// The most receives that begin with the peek before the next try of the read.
const MAX_PEEKS: u8 = 64;

/// Which call begins the next receive: the peek, which waits, or the read, which takes a queued datagram.
///
/// If a receiver waits for each frame, a read first is a wasted call. If frames are queued, a peek first is a
/// wasted call. Only a read can tell. A receiver tries it again after some frames, and less often each time
/// that it finds nothing.
#[derive(Debug)]
pub(super) struct FirstCall {
    /// How many more receives begin with the peek.
    peeks_left: u8,
    /// What `peeks_left` becomes when a read finds nothing.
    peeks_after_miss: u8,
}

impl FirstCall {
    pub(super) const fn new() -> Self {
        Self { peeks_left: 4, peeks_after_miss: 4 }
    }

    #[inline]
    pub(super) fn is_read(&self) -> bool {
        self.peeks_left == 0
    }

    /// Notes that a read found a datagram at once.
    #[inline]
    pub(super) fn found(&mut self) {
        *self = Self { peeks_left: 0, peeks_after_miss: 1 };
    }

    /// Notes that a read found nothing.
    pub(super) fn missed(&mut self) {
        self.peeks_left = self.peeks_after_miss;
        self.peeks_after_miss = (self.peeks_after_miss * 2).min(MAX_PEEKS);
    }

    /// Notes that a datagram was waited for.
    pub(super) fn waited(&mut self) {
        self.peeks_left = self.peeks_left.saturating_sub(1);
    }
}
