//! Messages with unknown tags.

use std::borrow::Cow;

/// A message with an unknown tag: the tag, and the undecoded payload.
///
/// It is the field type of an `#[message(other)]` variant. `Unknown<'a>` with a lifetime of the message type
/// borrows the payload from the frame; `Unknown<'static>` owns a copy. Sending an `Unknown` forwards the
/// message, but not the descriptors that came with it. An `other` variant without a field
/// [drops the message](macro@crate::Message#unknown-messages) instead. Unknown messages are ordered by their tags, then
/// by their payloads.
///
/// ```
/// use datagrammar::{Message, Unknown, to_vec};
///
/// #[derive(Message, Debug)]
/// enum Request<'a> {
///     #[message(tag = 1)]
///     Ping,
///     #[message(other)]
///     Unknown(Unknown<'a>),
/// }
///
/// let frame = [9, 1, 2, 3];
/// let Request::Unknown(unknown) = Request::decode(&frame)? else { panic!() };
/// assert_eq!((unknown.tag(), unknown.payload()), (9, &[1, 2, 3][..]));
/// assert_eq!(to_vec(&Request::Unknown(unknown))?, frame);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unknown<'a> {
    tag: u32,
    payload: Cow<'a, [u8]>,
}

impl<'a> Unknown<'a> {
    /// Returns an unknown message with `tag` and `payload`. A message with tag 0 cannot be encoded.
    pub fn new(tag: u32, payload: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { tag, payload: payload.into() }
    }

    /// Returns the tag of the message.
    #[must_use]
    pub fn tag(&self) -> u32 {
        self.tag
    }

    /// Returns the bytes after the tag.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Returns the same message with an owned payload.
    #[must_use]
    pub fn into_owned(self) -> Unknown<'static> {
        Unknown { tag: self.tag, payload: Cow::Owned(self.payload.into_owned()) }
    }
}
