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

    /// An [`Unknown`](crate::Unknown) message holds tag 0, which is the runtime's own.
    #[error("tag 0 is reserved for the runtime: an unknown message must carry another")]
    ReservedTag,
}
