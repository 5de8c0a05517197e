#![doc = include_str!("wire.md")]

/// The tag that belongs to the runtime. No variant can have it.
///
/// ```
/// assert_eq!(datagrammar::wire::RESERVED_TAG, 0);
/// ```
pub const RESERVED_TAG: u32 = 0;
