//! Message to frame: one buffer for what is encoded, and the places where borrowed bytes go between.

use std::os::fd::BorrowedFd;

use serde::Serialize;

use super::extent::{Borrowed, MAX_BORROWED, Mark};
use super::unknown::Unknown;
use crate::codec::{Codec, encode_guarded};
use crate::error::EncodeError;
use crate::wire::is_reserved;

/// Byte fields of at least this many bytes are sent from where they lie: below, the kernel's
/// handling of one more iovec costs more than the copy that it saves.
pub(crate) const BORROW_FROM: usize = 32 * 1024;

/// Collects a message's frame: encoded values in a buffer, large byte strings by reference.
///
/// The code that the derive generates drives it: [`tag`](Self::tag) first, then each field in order,
/// each naming the codec of the message type. It is public for message types written by hand.
///
/// ```
/// use datagrammar::codec::Bincode;
/// use datagrammar::{DecodeError, Decoder, EncodeError, Encoder, Message, to_vec};
///
/// /// What `#[derive(Message)] #[message(tag = 5)] struct Beat { seq: u64 }` expands to, in essence.
/// struct Beat {
///     seq: u64,
/// }
///
/// impl Message for Beat {
///     type Borrowed<'f> = Self;
///
///     fn tag(&self) -> u32 {
///         5
///     }
///
///     fn name(&self) -> &'static str {
///         "Beat"
///     }
///
///     fn tag_of(frame: &[u8]) -> Result<u32, DecodeError> {
///         Decoder::<Bincode>::new(frame)?.tag()
///     }
///
///     fn encode<'m>(&'m self, encoder: &mut Encoder<'m>) -> Result<(), EncodeError> {
///         encoder.tag::<Bincode>(5)?;
///         encoder.field::<Bincode, _>("Beat.seq", &self.seq)
///     }
///
///     fn decode<'f>(frame: &'f [u8]) -> Result<Self, DecodeError> {
///         let mut decoder = Decoder::<Bincode>::new(frame)?;
///         match decoder.tag()? {
///             5 => {
///                 let seq = decoder.field("Beat.seq")?;
///                 decoder.finish()?;
///                 Ok(Self { seq })
///             }
///             tag => Err(DecodeError::UnknownTag(tag)),
///         }
///     }
/// }
///
/// assert_eq!(to_vec(&Beat { seq: 7 })?, [5, 7]);
/// assert_eq!(Beat::decode(&[5, 7])?.seq, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Encoder<'m> {
    pub(super) buffer: Vec<u8>,
    /// Places for what is borrowed, and how many of them are taken.
    pub(super) borrowed: &'m mut [Borrowed<'m>],
    pub(super) count: usize,
    /// What travels beside the frame.
    pub(super) descriptors: Vec<BorrowedFd<'m>>,
    /// Where the frame begins: there may be others before it.
    pub(super) start: Mark,
    /// How many messages the one that is being written is nested in.
    pub(super) nested: u32,
    /// Elements of no bytes met so far in the frame.
    pub(super) empty_elements: u32,
}

impl<'m> Encoder<'m> {
    /// An encoder that empties `buffer` and writes into it.
    #[inline]
    pub(crate) fn new(mut buffer: Vec<u8>, borrowed: &'m mut [Borrowed<'m>]) -> Self {
        buffer.clear();
        let (descriptors, start) = (Vec::new(), Mark::START);
        Self { buffer, borrowed, count: 0, descriptors, start, nested: 0, empty_elements: 0 }
    }

    /// Writes a variant's tag.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] when the codec refuses it. [`EncodeError::ReservedTag`] when the codec writes it
    /// with the byte 0 first, as the default one writes tag 0.
    #[inline]
    pub fn tag<C: Codec>(&mut self, tag: u32) -> Result<(), EncodeError> {
        if self.nested == 0 {
            self.empty_elements = 0;
        }
        let at = self.buffer.len();
        self.u32::<C>("tag", &tag)?;
        match self.buffer.get(at) {
            Some(&first) if is_reserved(first) => Err(EncodeError::ReservedTag),
            _ => Ok(()),
        }
    }

    /// Writes a field through serde.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`], naming `field`, when its `Serialize` implementation or the codec
    /// refuses the value, or no receiver would take it: by the rules of [`codec`](crate::codec), or
    /// because a struct leaves out a field.
    #[inline]
    pub fn field<C: Codec, T>(&mut self, field: &'static str, value: &T) -> Result<(), EncodeError>
    where
        T: Serialize + ?Sized,
    {
        let Self { buffer, nested, empty_elements, .. } = self;
        encode_guarded::<C, T>(value, buffer, *nested, empty_elements)
            .map_err(|reason| EncodeError::Field { field, reason })
    }

    /// Writes a `u32` field, as [`field`](Self::field) does and faster.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn u32<C: Codec>(&mut self, field: &'static str, value: &u32) -> Result<(), EncodeError> {
        C::encode_u32(*value, &mut self.buffer)
            .map_err(|reason| EncodeError::Field { field, reason })
    }

    /// Writes a `u64` field, as [`field`](Self::field) does and faster.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn u64<C: Codec>(&mut self, field: &'static str, value: &u64) -> Result<(), EncodeError> {
        C::encode_u64(*value, &mut self.buffer)
            .map_err(|reason| EncodeError::Field { field, reason })
    }

    /// Writes a byte field: its length, then the bytes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] when the codec refuses the length.
    #[inline]
    pub fn bytes<C: Codec>(
        &mut self,
        field: &'static str,
        bytes: &'m [u8],
    ) -> Result<(), EncodeError> {
        self.u64::<C>(field, &(bytes.len() as u64))?;
        // The last place is kept for a `rest` field.
        if bytes.len() < BORROW_FROM || self.count - self.start.borrowed + 1 >= MAX_BORROWED {
            self.copy(bytes);
        } else {
            self.rest(bytes);
        }
        Ok(())
    }

    /// Writes an optional byte field: whether it is there, and if so as [`bytes`](Self::bytes).
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] when the codec refuses the length.
    #[inline]
    pub fn optional_bytes<C: Codec>(
        &mut self,
        field: &'static str,
        bytes: Option<&'m [u8]>,
    ) -> Result<(), EncodeError> {
        self.buffer.push(u8::from(bytes.is_some()));
        match bytes {
            Some(bytes) => self.bytes::<C>(field, bytes),
            None => Ok(()),
        }
    }

    /// Writes a text field: its length, then its bytes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] when the codec refuses the length.
    #[inline]
    pub fn text<C: Codec>(
        &mut self,
        field: &'static str,
        text: &'m str,
    ) -> Result<(), EncodeError> {
        self.bytes::<C>(field, text.as_bytes())
    }

    /// Writes an optional text field: whether it is there, and if so as [`text`](Self::text).
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] when the codec refuses the length.
    #[inline]
    pub fn optional_text<C: Codec>(
        &mut self,
        field: &'static str,
        text: Option<&'m str>,
    ) -> Result<(), EncodeError> {
        self.optional_bytes::<C>(field, text.map(str::as_bytes))
    }

    /// Writes bytes whose number the type gives, so no length goes before them.
    #[inline]
    pub fn copy(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Writes a `rest` field: the bytes alone. Large ones are sent from where they lie.
    #[inline]
    pub fn rest(&mut self, bytes: &'m [u8]) {
        let is_full = self.count - self.start.borrowed >= MAX_BORROWED;
        let copied = is_full || bytes.len() < BORROW_FROM;
        match self.borrowed.get_mut(self.count).filter(|_| !copied) {
            Some(place) => {
                *place = Borrowed { at: self.buffer.len(), bytes };
                self.count += 1;
            }
            None => self.copy(bytes),
        }
    }

    /// Writes an `fd` field: no bytes, and a descriptor beside them.
    pub fn fd(&mut self, descriptor: BorrowedFd<'m>) {
        self.descriptors.push(descriptor);
    }

    /// Writes an optional `fd` field: whether it is there, and if so as [`fd`](Self::fd).
    pub fn optional_fd(&mut self, descriptor: Option<BorrowedFd<'m>>) {
        self.buffer.push(u8::from(descriptor.is_some()));
        self.descriptors.extend(descriptor);
    }

    /// Writes an `fd` field that holds several: their number, and the descriptors beside it.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] when the codec refuses the number.
    pub fn fds<C: Codec>(
        &mut self,
        field: &'static str,
        descriptors: impl ExactSizeIterator<Item = BorrowedFd<'m>>,
    ) -> Result<(), EncodeError> {
        self.field::<C, _>(field, &(descriptors.len() as u64))?;
        self.descriptors.extend(descriptors);
        Ok(())
    }

    /// Writes a message that this side does not know, as it came.
    ///
    /// # Errors
    ///
    /// [`EncodeError::ReservedTag`] for tag 0.
    #[inline]
    pub fn unknown<C: Codec>(&mut self, unknown: &'m Unknown<'_>) -> Result<(), EncodeError> {
        self.tag::<C>(unknown.tag())?;
        self.rest(unknown.payload());
        Ok(())
    }

    /// The frame's length so far, in bytes.
    #[inline]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty")]
    pub fn len(&self) -> usize {
        let borrowed = self.borrowed.get(self.start.borrowed..self.count).unwrap_or_default();
        borrowed
            .iter()
            .fold(self.buffer.len() - self.start.bytes, |len, borrowed| len + borrowed.bytes.len())
    }

    /// The descriptors that travel beside the frame.
    #[inline]
    #[must_use]
    pub fn descriptors(&self) -> &[BorrowedFd<'m>] {
        self.descriptors.get(self.start.descriptors..).unwrap_or_default()
    }
}
