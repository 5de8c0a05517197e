//! Codecs: how the values in a frame become bytes, and the rules that hold against hostile bytes.
//!
//! A codec is a type that implements [`Codec`]; the `#[message(codec = Path)]` attribute picks one
//! for a message type, and [`Bincode`] is the default. Whatever the codec, the runtime decodes
//! through a guard of its own that keeps four promises for every frame. It encodes through the same
//! guard, so that what no receiver would take is not sent.
//!
//! - **Exact consumption.** A message takes all of its frame, or the frame is refused.
//! - **Memory in proportion.** Text and bytes are checked against the frame before they are copied,
//!   and the sequences of a field reserve room for at most one element for every eight bytes that are
//!   left of the frame: longer ones grow as elements arrive.
//! - **Bounded nesting.** At most [`MAX_DEPTH`] levels: sequences, tuples, maps and structs each
//!   count one, and so does a message in a message. Options, newtypes and enums count with what they
//!   hold; only from the third in a row on does each of them count one too. A `Box` never counts.
//! - **Bounded work.** At most [`MAX_EMPTY_ELEMENTS`] elements of sequences and maps that take no
//!   bytes, so that a length prefix alone cannot keep a receiver busy.

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
