//! Frames: received bytes that are not decoded yet.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::OwnedFd;

use crate::error::DecodeError;
use crate::message::{Descriptors, Message};
use crate::owned_frame::OwnedFrame;
use crate::peer::Peer;
use crate::spare;

/// A received frame and its descriptors, to be decoded as an `M`.
///
/// The frame is lent from the receiver's memory. The decoded message may borrow from there.
///
/// ```
/// use datagrammar::{Connection, Message};
///
/// #[derive(Message, Debug)]
/// enum Greeting<'a> {
///     #[message(tag = 1)]
///     Hello { name: &'a str },
/// }
///
/// let (mut ours, mut theirs) = Connection::<Greeting<'static>, Greeting<'static>>::pair()?;
/// ours.send(&Greeting::Hello { name: "you" })?;
///
/// let frame = theirs.recv()?.expect("a frame is there");
/// assert_eq!((frame.tag()?, frame.len(), frame.bytes()), (1, 5, &b"\x01\x03you"[..]));
/// let Greeting::Hello { name } = frame.decode()?;
/// assert_eq!(name, "you");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Frame<'r, M> {
    bytes: &'r [u8],
    descriptors: Descriptors,
    sender: Option<Box<Peer>>,
    message: PhantomData<fn() -> M>,
}

impl<'r, M: Message> Frame<'r, M> {
    /// Creates a frame by hand, to test code that takes frames. Decoding checks it like a received frame. If `M` has no
    /// `fd` fields, the descriptors are closed.
    ///
    /// ```
    /// use datagrammar::{DecodeError, Frame, Message};
    ///
    /// #[derive(Message, Debug)]
    /// enum Greeting<'a> {
    ///     #[message(tag = 1)]
    ///     Hello { name: &'a str },
    /// }
    ///
    /// fn greet(frame: Frame<'_, Greeting<'static>>) -> Result<String, DecodeError> {
    ///     let Greeting::Hello { name } = frame.decode()?;
    ///     Ok(format!("Hello, {name}!"))
    /// }
    ///
    /// assert_eq!(greet(Frame::from_parts(b"\x01\x03you", Vec::new()))?, "Hello, you!");
    /// let error = greet(Frame::from_parts(b"\x02", Vec::new())).unwrap_err();
    /// assert!(matches!(error, DecodeError::UnknownTag(_)));
    /// # Ok::<(), DecodeError>(())
    /// ```
    #[must_use]
    pub fn from_parts(bytes: &'r [u8], descriptors: Vec<OwnedFd>) -> Self {
        let descriptors = if M::DESCRIPTORS { descriptors.into() } else { Descriptors::default() };
        Self::new(bytes, descriptors)
    }

    #[inline]
    pub(crate) fn new(bytes: &'r [u8], descriptors: Descriptors) -> Self {
        Self { bytes, descriptors, sender: None, message: PhantomData }
    }

    #[inline]
    pub(crate) fn with_sender(self, sender: Option<Peer>) -> Self {
        Self { sender: sender.map(Box::new), ..self }
    }

    /// Decodes the message, which borrows from the receiver.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the bytes are not exactly one message, or if the descriptors are not exactly those that
    /// it declares. The descriptors are then closed, and the endpoint stays usable.
    #[inline]
    pub fn decode(mut self) -> Result<M::Borrowed<'r>, DecodeError> {
        if M::DESCRIPTORS {
            return M::decode_with(self.bytes, &mut self.descriptors);
        }
        M::decode(self.bytes)
    }

    /// Reads only the tag, to route a frame without decoding it. Also returns tags that `M` does not know.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Tag`] if the frame does not begin with a tag. [`DecodeError::Empty`] if it was made by hand
    /// without bytes.
    #[inline]
    pub fn tag(&self) -> Result<u32, DecodeError> {
        M::tag_of(self.bytes)
    }

    /// Returns how many descriptors came with the frame, 0 if the type `M` has no `fd` fields. Dropping the frame
    /// undecoded closes them.
    #[inline]
    #[must_use]
    pub fn descriptor_count(&self) -> usize {
        self.descriptors.len()
    }

    /// Returns who sent the frame, on a socket opened with
    /// [`Options::identify_senders`](crate::Options::identify_senders). Ask before decoding, which consumes the frame.
    ///
    /// ```
    /// use datagrammar::{Message, Options, Socket};
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    ///
    /// let address = "unix:@datagrammar-doc-sender".parse()?;
    /// let mut ours =
    ///     Socket::<Ping, Ping>::bind_with(&address, &Options::new().identify_senders())?;
    /// Socket::<Ping, Ping>::unbound(&address)?.send_to(&Ping::Ping, &address)?;
    /// let (frame, _from) = ours.recv_from()?;
    /// assert_eq!(frame.sender().map(|sender| sender.pid), Some(std::process::id()));
    /// let Ping::Ping = frame.decode()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn sender(&self) -> Option<&Peer> {
        self.sender.as_deref()
    }

    /// Returns the frame's bytes: tag and payload.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &'r [u8] {
        self.bytes
    }

    /// Returns the frame's length in bytes, which is never 0 for a received frame.
    #[inline]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a received frame is never empty")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Copies the frame into an [`OwnedFrame`], with its descriptors.
    #[must_use]
    pub fn into_owned(self) -> OwnedFrame<M> {
        OwnedFrame::new(spare::copy(self.bytes), self.descriptors, self.sender)
    }
}

/// The frame's bytes.
impl<M> AsRef<[u8]> for Frame<'_, M> {
    fn as_ref(&self) -> &[u8] {
        self.bytes
    }
}

impl<M> fmt::Debug for Frame<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("len", &self.bytes.len())
            .field("descriptors", &self.descriptors.len())
            .finish_non_exhaustive()
    }
}
