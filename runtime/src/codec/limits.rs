//! The limits on the values in a frame, for every codec.

/// The maximum depth of nested values and messages, in levels.
///
/// `serde_json` has the same limit.
///
/// Each level takes stack, and most of it in unoptimised builds. Even there, this depth fits in a thread with a
/// stack of 1 MiB.
pub const MAX_DEPTH: u32 = 128;

/// The maximum number of sequence elements and map entries of no bytes in one frame.
///
/// A `Vec<()>` is only a length. Without this limit, nine bytes could claim 2⁶⁴ − 1 elements.
pub const MAX_EMPTY_ELEMENTS: u32 = 1024;
