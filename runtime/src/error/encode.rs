//! Why a message could not be made into a frame.

use thiserror::Error;

/// Why a message could not be encoded. Nothing has been sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A field's `Serialize` implementation, or the codec, refused the value.
    #[error("field `{field}`: {reason}")]
    Field {
        /// The field, as `Variant.name` or `Variant.0`.
        field: &'static str,
        /// The refusal, in the codec's words.
        reason: Box<str>,
    },

    /// The message wrote nothing, not even a tag. Derived messages cannot.
    #[error("the message wrote no bytes, and a frame has at least a tag")]
    Empty,

    /// A descriptor of the message could not be duplicated.
    #[error("a descriptor of the message cannot be duplicated")]
    Fd(#[source] std::io::Error),

    /// The tag begins with the byte 0: an [`Unknown`](crate::Unknown) message holds tag 0, or a codec of your
    /// own writes tags so.
    #[error("a first byte of 0 is reserved for the runtime: use another tag, or another codec")]
    ReservedTag,
}
