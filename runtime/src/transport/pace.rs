//! What is expected to come next over a connection, from what came last.

/// How many bytes are taken by one call, about. Of datagrams that are longer, copying costs more than the calls,
/// and it is faster to where memory is still in the processor's cache: in the lanes before.
const TOGETHER: usize = 40 * 1024;

/// The most datagrams that are taken one at a time before another look whether there are many.
const MAX_PATIENCE: u32 = 64;

/// How to take what comes next.
///
/// In a conversation, where each frame is an answer, it is taken by one call that waits for it. In a flood,
/// one call takes all that is queued. Which of both it is shows only when many are tried for: that is done
/// at once after the first frame, and ever more rarely while it brings no more than one.
#[derive(Debug)]
pub(super) struct Pace {
    /// After how many more that are taken one at a time many are tried for: now, if that is 0; `None` for never.
    left: Option<u32>,
    /// What `left` begins with, next time.
    patience: u32,
    /// How long datagrams are lately, in bytes.
    average: usize,
    /// Whether pieces of large frames are expected: these are looked at first, as they are received into
    /// the frame's own memory.
    pieces: bool,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { left: Some(1), patience: 1, average: 0, pieces: false }
    }

    /// How many to take by one call: 1 where no more are expected, or worth while.
    #[inline]
    pub(super) fn expected(&self) -> usize {
        match self.left {
            Some(0) => (TOGETHER / self.average.max(1)).max(1),
            _ => 1,
        }
    }

    /// Whether there have been no many for some time.
    #[inline]
    pub(super) fn is_conversation(&self) -> bool {
        const CALM: u32 = 8;
        self.patience >= CALM
    }

    /// Whether pieces of large frames are expected.
    #[inline]
    pub(super) fn expects_pieces(&self) -> bool {
        self.pieces
    }

    /// Takes note whether a piece has come last.
    #[inline]
    pub(super) fn expect_pieces(&mut self, pieces: bool) {
        self.pieces = pieces;
    }

    /// How long datagrams are lately, in bytes.
    #[inline]
    pub(super) fn average(&self) -> usize {
        self.average
    }

    /// Takes note that one datagram of `len` bytes has come, which was taken alone.
    #[inline]
    pub(super) fn took_one(&mut self, len: usize) {
        self.note(len);
        self.left = self.left.map(|left| left.saturating_sub(1));
    }

    /// Takes note that `count` datagrams of `len` bytes together have come when many were tried for: none, if
    /// all had been taken.
    #[inline]
    pub(super) fn took(&mut self, count: usize, len: usize) {
        if let Some(average) = len.checked_div(count) {
            self.note(average);
        }
        if count > 1 {
            (self.left, self.patience) = (Some(0), 1);
        } else {
            self.left = Some(self.patience);
            self.patience = (self.patience * 2).min(MAX_PATIENCE);
        }
    }

    /// Takes note that many cannot be taken by one call here.
    #[cold]
    pub(super) fn never_many(&mut self) {
        self.left = None;
    }

    #[inline]
    fn note(&mut self, len: usize) {
        self.average = (self.average * 3 + len) / 4;
    }
}
