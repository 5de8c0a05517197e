//! The trait of message types, which the derive implements.

use super::descriptors::Descriptors;
use super::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};

/// A type whose values travel as frames.
///
/// Implement it with `#[derive(Message)]`.
///
/// [The derive](macro@crate::Message) explains the attributes, and [`wire`](crate::wire) the bytes.
///
/// # Lifetimes
///
/// A message type that borrows has a lifetime: `Request<'a>`. Name it with `'static` in the types of
/// endpoints: a `Receiver<Request<'static>>` lends a `Request<'f>` from each frame.
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
    note = "derive it: #[derive(datagrammar::Message)], with #[message(tag = N)] on each variant; wrap a type of others in a struct",
    note = "a protocol with answers derives both: #[derive(datagrammar::Message, datagrammar::Protocol)]"
)]
pub trait Message {
    /// Whether a message of this type can carry descriptors, in its own `fd` fields or in nested messages. If
    /// not, endpoints refuse descriptors from the peer.
    const DESCRIPTORS: bool = false;

    /// The same for a `nested` field of this type. A `Box` says yes: a message may hold itself in a `Box`, and then
    /// the constant would depend on itself.
    #[doc(hidden)]
    const NESTED_DESCRIPTORS: bool = Self::DESCRIPTORS;

    /// This message type with the lifetime `'f` of the frame that it borrows from.
    type Borrowed<'f>: Message;

    /// Returns the tag of this value. For an `other` variant without a field, this is 0, which is the tag of no
    /// message: such a value does not know its tag, and cannot be sent.
    fn tag(&self) -> u32;

    /// Returns the name of the variant, or of the struct: for logs and metrics.
    fn name(&self) -> &'static str;

    /// Returns the tag of a frame without decoding the rest, for routing.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Empty`] or [`DecodeError::Tag`] if the bytes do not begin with a tag. An unknown tag is not
    /// an error.
    fn tag_of(frame: &[u8]) -> Result<u32, DecodeError>;

    /// Writes the message to `encoder`, which can borrow from the message.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if a field cannot be encoded.
    fn encode<'m>(&'m self, encoder: &mut Encoder<'m>) -> Result<(), EncodeError>;

    /// Reads the message in `frame`. If the type has `fd` fields, use [`decode_with`](Self::decode_with).
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `frame` is not exactly one message of this type.
    fn decode<'f>(frame: &'f [u8]) -> Result<Self::Borrowed<'f>, DecodeError>;

    /// Reads the message in `frame`, and takes its descriptors from `descriptors`. A type with `fd` fields
    /// implements this function, and calls it in `decode`.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode). [`DecodeError::FdCount`] if the message declares a different number
    /// of descriptors than `descriptors` has. [`DecodeError::FdUnclear`]. [`DecodeError::Fd`].
    #[inline]
    fn decode_with<'f>(
        frame: &'f [u8],
        descriptors: &mut Descriptors,
    ) -> Result<Self::Borrowed<'f>, DecodeError> {
        let message = Self::decode(frame)?;
        descriptors.finish()?;
        Ok(message)
    }

    /// Reads the message like [`decode_with`](Self::decode_with), as a part of another message. Derived types
    /// continue the counts of the outer message.
    #[doc(hidden)]
    #[inline]
    fn decode_nested<'f>(
        frame: &'f [u8],
        descriptors: &mut Descriptors,
    ) -> Result<Self::Borrowed<'f>, DecodeError> {
        Self::decode_with(frame, descriptors)
    }
}

#[diagnostic::do_not_recommend]
impl<M: Message> Message for Box<M> {
    const DESCRIPTORS: bool = M::DESCRIPTORS;

    const NESTED_DESCRIPTORS: bool = true;

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
