//! How a frame is made of what was encoded into a buffer and of what is borrowed from the message.

use std::io::IoSlice;
use std::os::fd::BorrowedFd;

use crate::error::EncodeError;

/// How many byte strings of a message are sent from where they lie: a `rest` field, and the first large
/// ones. Further ones are copied.
pub(super) const MAX_BORROWED: usize = 4;

/// The most slices a frame is made of: the encoded bytes before, between and after borrowed ones.
pub(crate) const MAX_SLICES: usize = 2 * MAX_BORROWED + 1;

/// Where a frame's bytes are, in their order.
#[derive(Debug)]
pub(crate) struct Layout<'m> {
    /// Where those in the buffer begin and end.
    pub(super) start: usize,
    pub(super) end: usize,
    /// What is borrowed, and how much of the buffer comes before it.
    borrowed: [(usize, &'m [u8]); MAX_BORROWED],
    pub(super) count: usize,
    /// What travels beside the frame.
    pub(super) descriptors: Vec<BorrowedFd<'m>>,
}

impl<'m> Layout<'m> {
    /// That of a frame of which nothing is there yet, and which begins at `start`.
    #[inline]
    pub(super) fn at(start: usize) -> Self {
        let borrowed = [(0, &[][..]); MAX_BORROWED];
        Self { start, end: start, borrowed, count: 0, descriptors: Vec::new() }
    }

    /// Adds bytes that are borrowed, after what is in the buffer up to `at`. `false` if there is no place
    /// for any more.
    #[inline]
    pub(super) fn borrow(&mut self, at: usize, bytes: &'m [u8]) -> bool {
        let Some(place) = self.borrowed.get_mut(self.count) else { return false };
        *place = (at, bytes);
        self.count += 1;
        true
    }

    /// The frame's length in bytes, if it is in the buffer up to `end`.
    #[inline]
    pub(super) fn len(&self, end: usize) -> usize {
        self.borrowed().iter().fold(end - self.start, |len, (_, bytes)| len + bytes.len())
    }

    /// The frame's length, if it is a frame: one is never empty.
    #[inline]
    pub(crate) fn check(&self) -> Result<usize, EncodeError> {
        match self.len(self.end) {
            0 => Err(EncodeError::Empty),
            len => Ok(len),
        }
    }

    #[inline]
    pub(crate) fn descriptors(&self) -> &[BorrowedFd<'m>] {
        &self.descriptors
    }

    /// Whether all of the frame is in the buffer.
    #[inline]
    pub(crate) fn is_copied(&self) -> bool {
        self.count == 0
    }

    /// The frame's bytes, in slices to be sent one after the other. `buffer` is the one that it was
    /// encoded into.
    #[inline]
    pub(crate) fn slices<'p>(
        &self,
        buffer: &'p [u8],
        slices: &'p mut [IoSlice<'p>],
    ) -> &'p [IoSlice<'p>]
    where
        'm: 'p,
    {
        let mut used = 0;
        let mut push = |bytes: &'p [u8]| {
            if !bytes.is_empty()
                && let Some(slice) = slices.get_mut(used)
            {
                *slice = IoSlice::new(bytes);
                used += 1;
            }
        };
        let mut start = self.start;
        for &(at, bytes) in self.borrowed() {
            push(buffer.get(start..at).unwrap_or_default());
            push(bytes);
            start = at;
        }
        push(buffer.get(start..self.end).unwrap_or_default());
        slices.get(..used).unwrap_or_default()
    }

    #[inline]
    fn borrowed(&self) -> &[(usize, &'m [u8])] {
        self.borrowed.get(..self.count).unwrap_or_default()
    }
}
