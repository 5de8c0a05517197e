//! Where a frame is among encoded ones: bytes in a buffer, and borrowed ones between them.

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
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(super) bytes: usize,
    pub(super) borrowed: usize,
    pub(super) descriptors: usize,
}

impl Mark {
    /// Where the first frame begins.
    pub(super) const START: Self = Self { bytes: 0, borrowed: 0, descriptors: 0 };
}

/// Where a frame begins, and where it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(super) from: Mark,
    pub(super) to: Mark,
}

impl Extent {
    /// All that comes before `to`.
    pub(crate) fn up_to(to: Mark) -> Self {
        Self { from: Mark::START, to }
    }
}
