//! What a message type supplies, which the derive implements.

use super::descriptors::Descriptors;
use super::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};

/// A type whose values travel as frames. Derive it: `#[derive(Message)]`.
///
/// See [the derive](macro@crate::Message) for its attributes, and [`wire`](crate::wire) for the
/// bytes.
///
/// # Lifetimes
///
/// A message type that borrows is written with a lifetime, `Request<'a>`, and names its protocol
/// with any lifetime at all: a `Receiver<Request<'static>>` lends `Request<'f>` out of each frame.
///
/// ```
/// use datagrammar::{Message, to_vec};
///
/// #[derive(Message, Debug)]
/// enum Request<'a> {
///     #[message(tag = 1)]
///     Ping,
///     #[message(tag = 2)]
///     Put { name: &'a str, #[message(rest)] content: &'a [u8] },
/// }
///
/// let frame = to_vec(&Request::Put { name: "a", content: b"xyz" })?;
/// assert_eq!(frame, [2, 1, b'a', b'x', b'y', b'z']);
/// assert_eq!((Request::Ping.tag(), Request::Ping.name()), (1, "Ping"));
/// assert_eq!(Request::tag_of(&frame)?, 2);
/// assert!(matches!(Request::decode(&frame)?, Request::Put { name: "a", content: b"xyz" }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "this type cannot travel as a frame",
    note = "derive it: #[derive(datagrammar::Message)], with #[message(tag = N)] on each variant"
)]
pub trait Message {
    /// Whether descriptors travel with messages of this type: whether any variant has an `fd` field.
    /// Where none does, endpoints refuse descriptors that a peer sends.
    const DESCRIPTORS: bool = false;

    /// This message type, borrowing from a frame that lives for `'f`.
    type Borrowed<'f>: Message;

    /// The tag that this value travels under.
    fn tag(&self) -> u32;

    /// The name of this value's variant, or of its type if that is a struct: for logs and metrics.
    fn name(&self) -> &'static str;

    /// Reads the tag of a frame, and nothing else: to route frames without decoding them.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Empty`] or [`DecodeError::Tag`] if the bytes do not begin with a tag. Tags that this type
    /// does not know are returned too.
    fn tag_of(frame: &[u8]) -> Result<u32, DecodeError>;

    /// Writes the message to `encoder`, which may borrow from it.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] when a field's `Serialize` implementation or the codec refuses a value.
    fn encode<'m>(&'m self, encoder: &mut Encoder<'m>) -> Result<(), EncodeError>;

    /// Reads the message that `frame` holds, and nothing else in it.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for bytes that are not exactly one such message.
    fn decode<'f>(frame: &'f [u8]) -> Result<Self::Borrowed<'f>, DecodeError>;

    /// As [`decode`](Self::decode), and takes the descriptors that came with the frame out of
    /// `descriptors`. Types with `fd` fields implement this one, and `decode` by it.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode), and [`DecodeError::FdCount`] unless the message declares exactly
    /// as many descriptors as came.
    #[inline]
    fn decode_with<'f>(
        frame: &'f [u8],
        descriptors: &mut Descriptors,
    ) -> Result<Self::Borrowed<'f>, DecodeError> {
        let message = Self::decode(frame)?;
        descriptors.finish()?;
        Ok(message)
    }

    /// As [`decode_with`](Self::decode_with), in a message that this one is nested in. Derived types go
    /// on with its counts.
    #[doc(hidden)]
    #[inline]
    fn decode_nested<'f>(
        frame: &'f [u8],
        descriptors: &mut Descriptors,
    ) -> Result<Self::Borrowed<'f>, DecodeError> {
        Self::decode_with(frame, descriptors)
    }
}

impl<M: Message> Message for Box<M> {
    const DESCRIPTORS: bool = M::DESCRIPTORS;

    type Borrowed<'f> = Box<M::Borrowed<'f>>;

    fn tag(&self) -> u32 {
        M::tag(self)
    }

    fn name(&self) -> &'static str {
        M::name(self)
    }

    fn tag_of(frame: &[u8]) -> Result<u32, DecodeError> {
        M::tag_of(frame)
    }

    fn encode<'m>(&'m self, encoder: &mut Encoder<'m>) -> Result<(), EncodeError> {
        M::encode(self, encoder)
    }

    fn decode<'f>(frame: &'f [u8]) -> Result<Self::Borrowed<'f>, DecodeError> {
        M::decode(frame).map(Box::new)
    }

    fn decode_with<'f>(
        frame: &'f [u8],
        descriptors: &mut Descriptors,
    ) -> Result<Self::Borrowed<'f>, DecodeError> {
        M::decode_with(frame, descriptors).map(Box::new)
    }

    fn decode_nested<'f>(
        frame: &'f [u8],
        descriptors: &mut Descriptors,
    ) -> Result<Self::Borrowed<'f>, DecodeError> {
        M::decode_nested(frame, descriptors).map(Box::new)
    }
}
