//! Errors of decoding a frame.

use thiserror::Error;

use super::count::{bytes, number_of, with};

/// Why a frame is not a message of the expected type.
///
/// The endpoint stays usable: the frame was received whole, and the next frame can be received. Offsets and
/// lengths are in bytes. Offsets count from the start of the frame.
///
/// ```
/// use datagrammar::{DecodeError, Message};
///
/// #[derive(Message, Debug)]
/// enum Reply {
///     #[message(tag = 1)]
///     Stored { len: u64 },
/// }
///
/// assert!(matches!(Reply::decode(&[]), Err(DecodeError::Empty)));
/// assert!(matches!(Reply::decode(&[7]), Err(DecodeError::UnknownTag(7))));
/// assert!(matches!(
///     Reply::decode(&[1, 250, 0]),
///     Err(DecodeError::TrailingBytes { consumed: 2, len: 3 }),
/// ));
/// let error = Reply::decode(&[1]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "field `Stored.len`, at byte 1 of a frame of 1: at least 1 more byte is needed",
/// );
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The frame has no bytes, and so no tag.
    #[error("the frame is empty: a frame begins with a tag of at least one byte")]
    Empty,

    /// The frame does not begin with a valid tag.
    #[error("the tag of a frame of {} cannot be read: {fault}", bytes(*.len))]
    Tag {
        /// The frame's length.
        len: usize,
        /// What is wrong with the bytes.
        fault: Fault,
    },

    /// No variant has this tag, and the type has no `#[message(other)]` variant. Tag 0 is reserved for the
    /// runtime: no message has it.
    #[error("{}", unknown_tag(*.0))]
    UnknownTag(u32),

    /// The message ends before the frame does, and the variant is not `#[message(extensible)]`.
    #[error(
        "the message ends at byte {consumed} of a frame of {len}: to ignore fields that a newer sender appends, mark the variant #[message(extensible)]"
    )]
    TrailingBytes {
        /// The length of the message.
        consumed: usize,
        /// The frame's length.
        len: usize,
    },

    /// The bytes of a field are not a value of its type.
    #[error("field `{field}`, at byte {offset} of a frame of {len}: {fault}")]
    Field {
        /// The field, as `Variant.name` or `Variant.0`.
        field: &'static str,
        /// Where the field starts.
        offset: usize,
        /// The frame's length.
        len: usize,
        /// What is wrong with the bytes.
        fault: Fault,
    },

    /// The message in a `nested` field cannot be decoded. [`FdCount`](Self::FdCount) and
    /// [`Fault::TooDeep`] are returned without this error around them.
    #[error("in field `{field}`, at byte {offset} of a frame of {len}: {error}")]
    Nested {
        /// The field, as `Variant.name` or `Variant.0`.
        field: &'static str,
        /// Where the frame of the nested message starts.
        offset: usize,
        /// The length of the outer frame.
        len: usize,
        /// What is wrong with the nested message.
        error: Box<Self>,
    },

    /// The `fd` fields of the message declare a different number of descriptors than arrived with the frame. All
    /// descriptors are closed.
    #[error(
        "the message declares {}, but {received} came with its frame: check that both sides declare the same `fd` fields",
        number_of(*.declared, "descriptor")
    )]
    FdCount {
        /// How many the fields declare. If too few arrived, the fields after the first one without a descriptor are
        /// not counted.
        declared: usize,
        /// How many arrived.
        received: usize,
    },

    /// More descriptors arrived than the message declares, and a nested message has a field or a variant that this
    /// side does not know. So it is unclear which descriptors belong to the fields after the nested message. All
    /// descriptors are closed.
    #[error(
        "a nested message has an unknown part, so it is unclear which descriptors belong to the fields after it: declare `fd` fields before `nested` fields"
    )]
    FdUnclear,

    /// An earlier decode of this [`OwnedFrame`](crate::OwnedFrame) took its descriptors.
    #[error(
        "an earlier decode took the {} of the frame: decode it only once",
        number_of(*.count, "descriptor")
    )]
    DescriptorsTaken {
        /// How many it took.
        count: usize,
    },

    /// The type of the field refused the descriptor.
    #[error("the type of field `{field}` refused the descriptor")]
    Fd {
        /// The field, as `Variant.name` or `Variant.0`.
        field: &'static str,
        /// The error from the type's `TryFrom<OwnedFd>`.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The message has a `BorrowedFd` field, so it can be sent but not received.
    #[error(
        "field `{0}` is a `BorrowedFd`, which can be sent but not received: receive a message type with an `OwnedFd` in its place"
    )]
    BorrowedFd(&'static str),
}

impl DecodeError {
    /// Returns this error of a nested message as an error of the outer frame. That frame has `len` bytes, and
    /// holds the nested message in `field`.
    #[cold]
    pub(crate) fn in_field(self, field: &'static str, offset: usize, len: usize) -> Self {
        match self {
            // `FdCount` concerns the whole frame. Around `TooDeep`, a hundred field names would hide the reason.
            Self::FdCount { .. } | Self::Field { fault: Fault::TooDeep { .. }, .. } => self,
            error => Self::Nested { field, offset, len, error: Box::new(error) },
        }
    }
}

/// What is wrong with the bytes of a value.
///
/// A [`DecodeError`] holds it.
///
/// ```
/// use datagrammar::{DecodeError, Fault, Message};
///
/// #[derive(Message, Debug)]
/// #[message(tag = 1)]
/// struct Named {
///     name: String,
/// }
///
/// let fault = match Named::decode(b"\x01\x02a\xff") {
///     Err(DecodeError::Field { field: "Named.name", fault, .. }) => fault,
///     other => panic!("{other:?}"),
/// };
/// assert!(matches!(fault, Fault::Utf8 { valid_up_to: 1 }));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The frame ends before the value does.
    #[error("at least {missing} more {} needed", with(*.missing, "byte is", "bytes are"))]
    Short {
        /// The least number of missing bytes.
        missing: usize,
    },

    /// The text is not UTF-8.
    #[error("the text is not UTF-8 at its byte {valid_up_to}")]
    Utf8 {
        /// How many bytes at the start of the text are valid.
        valid_up_to: usize,
    },

    /// Values are nested deeper than [`MAX_DEPTH`](crate::codec::MAX_DEPTH).
    #[error(
        "nested deeper than {limit} levels: each sequence, tuple, map, struct and message is one level"
    )]
    TooDeep {
        /// The deepest nesting allowed.
        limit: u32,
    },

    /// The sequences and maps of the frame claim more elements of no bytes than
    /// [`MAX_EMPTY_ELEMENTS`](crate::codec::MAX_EMPTY_ELEMENTS).
    #[error("more than {limit} elements that take no bytes: send their number instead")]
    TooManyEmptyElements {
        /// The most such elements allowed in one frame.
        limit: u32,
    },

    /// The type needs a format that describes itself, and no codec is one. Such types are `serde_json::Value`,
    /// and types with serde's `untagged`, `tag = "…"` or `flatten`.
    #[error(
        "the type needs a format that describes itself (as serde_json::Value, `untagged`, `tag` and `flatten` do): send text, or another type with #[message(with = path)]"
    )]
    SelfDescribing,

    /// Any other reason, in the words of the codec or of a `Deserialize` implementation. Examples are a `bool`
    /// of 2, a surrogate as a `char`, and a variant that does not exist.
    #[error("{0}")]
    Invalid(Box<str>),
}

fn unknown_tag(tag: u32) -> String {
    match tag {
        0 => "tag 0 is reserved for the runtime: no message has it".to_owned(),
        tag => format!(
            "no variant has tag {tag}: the sender is newer, or speaks another protocol; to accept unknown tags, add a variant with #[message(other)]"
        ),
    }
}
