//! Why the bytes of a frame are not a message.

use thiserror::Error;

/// Why a frame is not a message of the expected type.
///
/// The frame has been received whole when this is reported, so the endpoint is still in step: the
/// next frame can be received as if nothing had happened. Offsets and lengths are bytes from the
/// start of the frame.
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
    /// The frame has no bytes, so it has no tag either.
    #[error("the frame is empty: a frame holds a tag of at least one byte")]
    Empty,

    /// The tag at the start of the frame could not be read.
    #[error("the tag of a frame of {len} bytes: {fault}")]
    Tag {
        /// The frame's length.
        len: usize,
        /// What is wrong with the bytes.
        fault: Fault,
    },

    /// No variant has this tag, and the type has no `#[message(other)]` variant to take it. Tag 0 is the
    /// runtime's own, and never a message.
    #[error("{}", unknown_tag(*.0))]
    UnknownTag(u32),

    /// The message ends before its frame does, and the variant is not `#[message(extensible)]`.
    #[error(
        "the message ends at byte {consumed} of a frame of {len} (#[message(extensible)] tolerates what a newer peer appends)"
    )]
    TrailingBytes {
        /// How many bytes the message takes.
        consumed: usize,
        /// The frame's length.
        len: usize,
    },

    /// A field's bytes are not a value of the field's type.
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

    /// The message in a `nested` field cannot be decoded. Errors about the whole frame, and values that are
    /// nested too deep, are reported as they are.
    #[error("in field `{field}`, at byte {offset} of a frame of {len}: {error}")]
    Nested {
        /// The field, as `Variant.name` or `Variant.0`.
        field: &'static str,
        /// Where the nested message's frame starts.
        offset: usize,
        /// The length of the frame that it is in.
        len: usize,
        /// What is wrong with the nested message.
        error: Box<Self>,
    },

    /// The message's `fd` fields do not declare as many descriptors as came with the frame. All that
    /// came have been closed.
    #[error("the message declares {declared} descriptors, and {received} came with its frame")]
    FdCount {
        /// How many the fields declare, up to the one that was found wanting.
        declared: usize,
        /// How many came.
        received: usize,
    },

    /// More descriptors came than the message declares, and a nested message has a field or a variant that this
    /// side does not know. So it is not known which descriptors the later fields should get. All that came have
    /// been closed.
    #[error(
        "a nested message of a newer version came with descriptors that cannot be told from those of the fields after it (declare `fd` fields before `nested` ones)"
    )]
    FdUnclear,

    /// An earlier decode of an [`OwnedFrame`](crate::OwnedFrame) took its descriptors.
    #[error("an earlier decode took the {count} descriptors of the frame: decode it only once")]
    DescriptorsTaken {
        /// How many it took.
        count: usize,
    },

    /// The field's type refused the descriptor that came.
    #[error("field `{field}`: its type refused the descriptor")]
    Fd {
        /// The field, as `Variant.name` or `Variant.0`.
        field: &'static str,
        /// The error of the type's `TryFrom<OwnedFd>`.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The message has a field of the type `BorrowedFd`, which nobody would own: it can only be sent.
    #[error(
        "field `{0}` is a BorrowedFd, which can only be sent: receive into a type that has an OwnedFd there"
    )]
    BorrowedFd(&'static str),
}

impl DecodeError {
    /// This error of a nested message, in the frame of `len` bytes whose `field` holds it.
    #[cold]
    pub(crate) fn in_field(self, field: &'static str, offset: usize, len: usize) -> Self {
        match self {
            // These are about the whole frame; and a hundred names would hide what is too deep.
            Self::FdCount { .. } | Self::Field { fault: Fault::TooDeep { .. }, .. } => self,
            error => Self::Nested { field, offset, len, error: Box::new(error) },
        }
    }
}

/// What is wrong with the bytes of a value: the detail inside a [`DecodeError`].
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
    #[error("at least {missing} more byte{} needed", if *missing == 1 { " is" } else { "s are" })]
    Short {
        /// A lower bound of the bytes missing.
        missing: usize,
    },

    /// Text that is not UTF-8.
    #[error("not UTF-8 after {valid_up_to} bytes of text")]
    Utf8 {
        /// How many bytes of the text are valid.
        valid_up_to: usize,
    },

    /// Values are nested deeper than [`MAX_DEPTH`](crate::codec::MAX_DEPTH).
    #[error(
        "nested deeper than {limit} levels (sequences, tuples, maps, structs and messages each count one)"
    )]
    TooDeep {
        /// The deepest nesting allowed.
        limit: u32,
    },

    /// Sequences claim more elements of no bytes than
    /// [`MAX_EMPTY_ELEMENTS`](crate::codec::MAX_EMPTY_ELEMENTS).
    #[error("more than {limit} elements that take no bytes")]
    TooManyEmptyElements {
        /// The most such elements allowed in one frame.
        limit: u32,
    },

    /// The type needs a format that says what its bytes are, and no codec does. `serde_json::Value` is such a
    /// type, and so are those with serde's `untagged`, `tag = "…"` or `flatten`.
    #[error(
        "the type asks the bytes what they are (as serde_json::Value, `untagged`, `tag` and `flatten` do), and they do not say: send text or another type by #[message(with = path)]"
    )]
    SelfDescribing,

    /// Anything else, in the codec's own words: a boolean of 2, a surrogate `char`, a variant that
    /// does not exist, or what a `Deserialize` implementation objected to.
    #[error("{0}")]
    Invalid(Box<str>),
}

fn unknown_tag(tag: u32) -> String {
    match tag {
        0 => "tag 0 is the runtime's own, and never a message".to_owned(),
        tag => format!(
            "no variant has tag {tag}: a newer peer sends it, or a peer of another protocol (a variant with #[message(other)] takes unknown tags as data)"
        ),
    }
}
