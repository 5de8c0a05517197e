//! What messages were encoded to: bytes in a buffer, and the places where borrowed ones go between.

use std::io::IoSlice;
use std::os::fd::BorrowedFd;

/// How many byte strings of a message are sent from where they lie: a `rest` field, and the first large
/// ones. Further ones are copied.
pub(crate) const MAX_BORROWED: usize = 4;

/// The most slices a frame is made of: the encoded bytes before, between and after borrowed ones.
pub(crate) const MAX_SLICES: usize = 2 * MAX_BORROWED + 1;

/// Bytes that are borrowed, and how much of the buffer comes before them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Borrowed<'m> {
    pub(super) at: usize,
    pub(super) bytes: &'m [u8],
}

impl Borrowed<'_> {
    /// Nothing: a place for some.
    pub(crate) const NOTHING: Self = Self { at: 0, bytes: &[] };
}

/// How much there was of everything, where a frame begins or ends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark {
    pub(super) bytes: usize,
    pub(super) borrowed: usize,
    pub(super) descriptors: usize,
}

/// Where a frame begins, and where it ends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extent {
    pub(super) from: Mark,
    pub(super) to: Mark,
}

/// What frames are made of.
#[derive(Debug)]
pub(crate) struct Encoded<'m> {
    pub(super) buffer: Vec<u8>,
    pub(super) borrowed: &'m [Borrowed<'m>],
    pub(super) descriptors: Vec<BorrowedFd<'m>>,
}

impl<'m> Encoded<'m> {
    /// A frame's bytes, in slices to be sent one after the other; and the places for slices that are left.
    #[inline]
    pub(crate) fn slices<'p>(
        &'p self,
        Extent { from, to }: Extent,
        places: &'p mut [IoSlice<'p>],
    ) -> (&'p [IoSlice<'p>], &'p mut [IoSlice<'p>]) {
        let mut used = 0;
        let mut push = |bytes: &'p [u8]| {
            if !bytes.is_empty()
                && let Some(place) = places.get_mut(used)
            {
                *place = IoSlice::new(bytes);
                used += 1;
            }
        };
        let mut start = from.bytes;
        for &Borrowed { at, bytes } in
            self.borrowed.get(from.borrowed..to.borrowed).unwrap_or_default()
        {
            push(self.buffer.get(start..at).unwrap_or_default());
            push(bytes);
            start = at;
        }
        push(self.buffer.get(start..to.bytes).unwrap_or_default());
        let (slices, left) = places.split_at_mut(used);
        (slices, left)
    }

    /// What travels beside a frame.
    #[inline]
    pub(crate) fn descriptors(&self, Extent { from, to }: Extent) -> &[BorrowedFd<'m>] {
        self.descriptors.get(from.descriptors..to.descriptors).unwrap_or_default()
    }

    /// Whether everything is in the buffer.
    pub(crate) fn is_copied(&self) -> bool {
        self.borrowed.is_empty()
    }

    /// The buffer, for the next messages.
    #[inline]
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}
