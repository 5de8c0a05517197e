//! Owned frames, which can be kept, moved, and sent many times.

use std::fmt;
use std::io::IoSlice;
use std::marker::PhantomData;
use std::mem;
use std::os::fd::{BorrowedFd, OwnedFd};

use crate::error::{DecodeError, EncodeError, SendError};
use crate::message::{Borrowed, Descriptors, Encoder, MAX_BORROWED, Message};
use crate::peer::Peer;
use crate::spare;
use crate::transport::Outgoing;
use crate::wire::is_reserved;

/// A frame of an `M` that owns its memory.
///
/// Queue it, move it to another thread, or encode a message once and send it to many peers.
///
/// When a thread drops a frame of up to 4 KiB, it keeps the memory for later frames, at most 64 KiB in all.
///
/// ```
/// use datagrammar::{Connection, Message, OwnedFrame, Wait};
///
/// #[derive(Message)]
/// enum News<'a> {
///     #[message(tag = 1)]
///     Headline(&'a str),
/// }
///
/// let frame = OwnedFrame::<News<'static>>::encode(&News::Headline("Ice on the moon"))?;
/// std::fs::write("/dev/null", &frame)?;
/// for _ in 0..3 {
///     let (mut ours, mut theirs) = Connection::<News<'static>, News<'static>>::pair()?;
///     ours.tx.send_frame(&frame, Wait::Block)?;
///     let mut received = theirs.rx.recv_owned(Wait::Block)?.expect("a frame");
///     assert_eq!((received.tag()?, received.bytes()), (1, frame.bytes()));
///     let News::Headline(text) = received.decode()?;
///     assert_eq!(text, "Ice on the moon");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OwnedFrame<M> {
    bytes: Vec<u8>,
    /// Where the frame begins in `bytes`: it may follow the head of a call.
    start: usize,
    descriptors: Descriptors,
    sender: Option<Box<Peer>>,
    message: PhantomData<fn() -> M>,
}

impl<M: Message> OwnedFrame<M> {
    pub(crate) fn new(bytes: Vec<u8>, descriptors: Descriptors, sender: Option<Box<Peer>>) -> Self {
        Self { bytes, start: 0, descriptors, sender, message: PhantomData }
    }

    /// A frame that begins `start` bytes into `bytes`.
    pub(crate) fn with_start(bytes: Vec<u8>, start: usize, descriptors: Descriptors) -> Self {
        Self { bytes, start, descriptors, sender: None, message: PhantomData }
    }

    /// Creates a frame by hand, to test code that takes frames. Decoding checks it like a received frame. If `M` has no
    /// `fd` fields, the descriptors are closed.
    ///
    /// ```
    /// use std::fs::File;
    /// use std::io::Read as _;
    ///
    /// use datagrammar::{DecodeError, Message, OwnedFrame};
    ///
    /// #[derive(Message)]
    /// #[message(tag = 1)]
    /// struct Import {
    ///     #[message(fd)]
    ///     file: File,
    /// }
    ///
    /// let file = File::open("/proc/version")?;
    /// let mut frame = OwnedFrame::<Import>::from_parts(vec![1], vec![file.into()]);
    /// let mut text = String::new();
    /// frame.decode()?.file.read_to_string(&mut text)?;
    /// assert!(text.starts_with("Linux"));
    ///
    /// let mut frame = OwnedFrame::<Import>::from_parts(vec![1], Vec::new());
    /// let error = frame.decode().err();
    /// assert!(matches!(error, Some(DecodeError::FdCount { declared: 1, received: 0 })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn from_parts(bytes: Vec<u8>, descriptors: Vec<OwnedFd>) -> Self {
        let descriptors = if M::DESCRIPTORS { descriptors.into() } else { Descriptors::default() };
        Self::new(bytes, descriptors, None)
    }

    /// Encodes a message. Duplicates the descriptors of its `fd` fields.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if a value cannot be encoded, or a descriptor cannot be duplicated.
    pub fn encode(message: &M::Borrowed<'_>) -> Result<Self, EncodeError> {
        let mut borrowed = [Borrowed::NOTHING; MAX_BORROWED];
        let mut encoder = Encoder::new(Vec::new(), &mut borrowed);
        let (extent, len) = encoder.append(message)?;
        let descriptors = encoder.descriptors_of(extent).iter().map(BorrowedFd::try_clone_to_owned);
        let descriptors = descriptors.collect::<Result<Vec<_>, _>>().map_err(EncodeError::Fd)?;
        Ok(Self::new(encoder.into_frame(extent, len), descriptors.into(), None))
    }

    /// Decodes the message, which borrows from the frame. Moves the descriptors into the message, so a frame
    /// that had descriptors cannot be decoded again or sent afterwards. To decode a shared frame without descriptors,
    /// use [`Message::decode`] with its [`bytes`](Self::bytes).
    ///
    /// # Errors
    ///
    /// Those of [`Frame::decode`](crate::Frame::decode), and [`DecodeError::DescriptorsTaken`].
    pub fn decode(&mut self) -> Result<M::Borrowed<'_>, DecodeError> {
        if let count @ 1.. = self.descriptors.taken() {
            return Err(DecodeError::DescriptorsTaken { count });
        }
        let frame = self.bytes.get(self.start..).unwrap_or_default();
        M::decode_with(frame, &mut self.descriptors)
    }

    /// Reads only the tag.
    ///
    /// # Errors
    ///
    /// Those of [`Frame::tag`](crate::Frame::tag).
    pub fn tag(&self) -> Result<u32, DecodeError> {
        M::tag_of(self.bytes())
    }

    /// Returns the frame's bytes: tag and payload.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Returns the frame's length in bytes, which is never 0 for a received or encoded frame.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a received frame is never empty")]
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Returns how many descriptors the frame holds. Dropping the frame closes them; decoding moves them out.
    #[must_use]
    pub fn descriptor_count(&self) -> usize {
        self.descriptors.len()
    }

    /// Returns who sent the frame: see [`Frame::sender`](crate::Frame::sender).
    #[must_use]
    pub fn sender(&self) -> Option<&Peer> {
        self.sender.as_deref()
    }

    /// Sends the frame with `send`. Returns its length.
    pub(crate) fn send(
        &self,
        send: impl FnOnce(Outgoing<'_>) -> Result<(), SendError>,
    ) -> Result<usize, SendError> {
        if let taken @ 1.. = self.descriptors.taken() {
            return Err(SendError::DescriptorsTaken { count: taken });
        }
        // Only a frame made by hand can be empty or begin with 0, and no receiver would accept it.
        match self.bytes().first() {
            None => return Err(EncodeError::Empty.into()),
            Some(first) if is_reserved(*first) => return Err(EncodeError::ReservedTag.into()),
            Some(_) => {}
        }
        let (slices, descriptors) = ([IoSlice::new(self.bytes())], self.descriptors.borrow());
        let len = self.len();
        send(Outgoing { slices: &slices, descriptors: &descriptors, len }).map(|()| len)
    }
}

impl<M> Drop for OwnedFrame<M> {
    fn drop(&mut self) {
        spare::keep(mem::take(&mut self.bytes));
    }
}

/// The frame's bytes.
impl<M: Message> AsRef<[u8]> for OwnedFrame<M> {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl<M> fmt::Debug for OwnedFrame<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedFrame")
            .field("len", &(self.bytes.len() - self.start))
            .field("descriptors", &self.descriptors.len())
            .finish_non_exhaustive()
    }
}
