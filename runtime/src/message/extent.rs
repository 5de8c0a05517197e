//! Positions of frames in an encoder: bytes in a buffer, with borrowed bytes between them.

/// The most byte strings of one frame that are not copied: the first three large ones, and one `rest`. Further
/// ones are copied.
pub(crate) const MAX_BORROWED: usize = 4;

/// The most slices of one frame: the borrowed byte strings, and the encoded bytes before, between and after
/// them.
pub(crate) const MAX_SLICES: usize = 2 * MAX_BORROWED + 1;

/// Borrowed bytes, and the position in the buffer where they belong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Borrowed<'m> {
    pub(super) at: usize,
    pub(super) bytes: &'m [u8],
}

impl Borrowed<'_> {
    /// An unused entry.
    pub(crate) const NOTHING: Self = Self { at: 0, bytes: &[] };
}

/// A position in an encoder, where a frame begins or ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(super) bytes: usize,
    pub(super) borrowed: usize,
    pub(super) descriptors: usize,
}

impl Mark {
    /// The start of the first frame.
    pub(super) const START: Self = Self { bytes: 0, borrowed: 0, descriptors: 0 };
}

/// The start and the end of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(super) from: Mark,
    pub(super) to: Mark,
}

impl Extent {
    /// Returns everything before `to`.
    pub(crate) fn up_to(to: Mark) -> Self {
        Self { from: Mark::START, to }
    }
}
