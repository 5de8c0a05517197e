//! What is expected to come next over a connection, from what came last.

/// Datagrams of up to this many bytes, on average, are taken many at a time. Of longer ones, the copying
/// costs more than the calls, and it is faster into memory that is still in the processor's cache: that of
/// the one before.
const WORTH_MANY: usize = 8 * 1024;

/// The most datagrams that are taken one at a time before another look whether there are many.
const MAX_PATIENCE: u32 = 64;

/// How to take what comes next.
///
/// In a conversation, where each frame is an answer, it is taken by one call that waits for it. In a flood,
/// one call takes all that is queued. Which of both it is shows only when many are tried for: that is done
/// at once after the first frame, and ever more rarely while it brings no more than one.
#[derive(Debug)]
pub(super) struct Pace {
    /// After how many more that are taken one at a time many are tried for: now, if that is 0.
    left: u32,
    /// What `left` begins with, next time.
    patience: u32,
    /// Whether pieces of large frames are expected: these are looked at first, as they are received into
    /// the frame's own memory.
    pub(super) pieces: bool,
    /// How long the last one was that was taken alone, in bytes.
    pub(super) last: usize,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { left: 1, patience: 1, pieces: false, last: 0 }
    }

    /// Takes note that many cannot be taken by one call here.
    #[cold]
    pub(super) fn never_many(&mut self) {
        (self.left, self.patience) = (u32::MAX, u32::MAX);
    }

    /// Whether many are expected.
    #[inline]
    pub(super) fn is_flood(&self) -> bool {
        self.left == 0
    }

    /// Takes note that one datagram of `len` bytes has come, which was taken alone.
    #[inline]
    pub(super) fn took_one(&mut self, len: usize) {
        self.last = len;
        if len <= WORTH_MANY && self.patience < u32::MAX {
            self.left = self.left.saturating_sub(1);
        }
    }

    /// Takes note that `count` datagrams of `len` bytes together have come when many were tried for: none, if
    /// all had been taken.
    #[inline]
    pub(super) fn took(&mut self, count: usize, len: usize) {
        if count > 1 && len <= count * WORTH_MANY {
            self.patience = 1;
        } else {
            self.left = self.patience;
            self.patience = (self.patience * 2).min(MAX_PATIENCE);
        }
    }
}
