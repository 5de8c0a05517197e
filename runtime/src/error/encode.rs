//! Errors of encoding a message.

use thiserror::Error;

/// Why a message cannot be encoded.
///
/// Nothing was sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The `Serialize` implementation of a field or the codec refused the value, or no receiver would accept it.
    #[error("field `{field}` cannot be encoded: {reason}")]
    Field {
        /// The field, as `Variant.name` or `Variant.0`.
        field: &'static str,
        /// The reason, in the words of the codec or of the implementation.
        reason: Box<str>,
    },

    /// The message wrote no bytes. A derived message always writes a tag.
    #[error("the message wrote no bytes: a frame begins with a tag, so call `Encoder::tag` first")]
    Empty,

    /// A descriptor of the message cannot be duplicated.
    #[error("a descriptor of the message cannot be duplicated")]
    Fd(#[source] std::io::Error),

    /// The value is an `#[message(other)]` variant without a field. It stands for any unknown message, and keeps
    /// neither the tag nor the payload, so there is nothing to send. The error holds the name of the variant, as
    /// `Enum::Variant`.
    #[error(
        "`{0}` stands for any unknown message, and keeps neither tag nor payload, so it cannot be sent: send another variant, or let this one hold a `datagrammar::Unknown`, which can be sent again"
    )]
    UnknownTag(&'static str),

    /// The encoded tag begins with the byte 0, which is reserved for the runtime. Either an
    /// [`Unknown`](crate::Unknown) message has tag 0, or your own codec writes a 0 first.
    #[error(
        "the tag begins with the byte 0, which is reserved for the runtime: use another tag or codec"
    )]
    ReservedTag,
}
