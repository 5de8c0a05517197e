//! The limits of what a frame may hold, whatever its codec.

/// The deepest nesting of values and messages, in levels: as many as `serde_json` allows.
///
/// A level costs stack, most of it in unoptimised builds. This depth fits a thread of 1 MiB there.
pub const MAX_DEPTH: u32 = 128;

/// The most sequence elements and map entries of no bytes that one frame may hold, in elements.
///
/// `Vec<()>` is a length prefix and nothing else: without this limit, nine bytes would ask for
/// 2⁶⁴ − 1 elements.
pub const MAX_EMPTY_ELEMENTS: u32 = 1024;
