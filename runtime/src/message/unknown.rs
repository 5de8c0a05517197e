//! Messages whose tag no variant has, as data.

use std::borrow::Cow;

/// A message that this side does not know: its tag, and its payload as it came.
///
/// The field type of an `#[message(other)]` variant. Borrow with the message's lifetime,
/// `Unknown<'a>`, or own with `Unknown<'static>`. Sending one forwards the frame as it was.
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unknown<'a> {
    tag: u32,
    payload: Cow<'a, [u8]>,
}

impl<'a> Unknown<'a> {
    /// An unknown message of this tag and payload. Tag 0 is refused when it is encoded.
    pub fn new(tag: u32, payload: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { tag, payload: payload.into() }
    }

    /// The message's tag.
    #[must_use]
    pub fn tag(&self) -> u32 {
        self.tag
    }

    /// The bytes after the tag.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The same message, owning its payload.
    #[must_use]
    pub fn into_owned(self) -> Unknown<'static> {
        Unknown { tag: self.tag, payload: Cow::Owned(self.payload.into_owned()) }
    }
}
