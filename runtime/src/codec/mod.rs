//! Codecs: how the values in a frame become bytes, and the rules against hostile bytes.
//!
//! A codec is a type that implements [`Codec`]. The attribute `#[message(codec = Path)]` chooses the codec of a
//! message type. The default is [`Bincode`].
//!
//! The runtime decodes with every codec through the same guard, which applies four rules to every frame. It also
//! encodes through this guard, so it does not send a value that no receiver accepts.
//!
//! - **Exact length.** A message takes all bytes of its frame, or the frame is refused. Only `extensible` messages
//!   may leave bytes.
//! - **Memory in proportion to the frame.** The length of text and bytes is checked against the frame before
//!   they are copied. The sequences of a field that goes through serde together reserve room for at most one
//!   element for every eight bytes that are left. Longer sequences grow as their elements arrive.
//! - **Limited depth.** At most [`MAX_DEPTH`] levels. Each sequence, map, tuple, struct and nested message is a
//!   level. Options, newtypes and enums are a level only from the third in a row on. A `Box` is never a level.
//! - **Limited work.** At most [`MAX_EMPTY_ELEMENTS`] elements of sequences and maps take no bytes. So a
//!   length alone cannot keep a receiver busy.

#[cfg(feature = "bincode")]
mod bincode;
mod contract;
mod guard;
mod limits;
#[cfg(feature = "postcard")]
mod postcard;

#[cfg(feature = "bincode")]
pub use self::bincode::Bincode;
pub use self::contract::Codec;
pub(crate) use self::guard::{decode_guarded, encode_checked, encode_guarded};
pub use self::limits::{MAX_DEPTH, MAX_EMPTY_ELEMENTS};
#[cfg(feature = "postcard")]
pub use self::postcard::Postcard;
