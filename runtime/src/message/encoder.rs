//! Message to frame: one buffer of encoded bytes, and references to large byte strings.

use std::os::fd::BorrowedFd;

use serde::Serialize;

use super::extent::{Borrowed, MAX_BORROWED, Mark};
use super::unknown::Unknown;
use crate::codec::{Codec, encode_guarded};
use crate::error::EncodeError;
use crate::wire::is_reserved;

/// The least length in bytes of byte strings that are not copied. For shorter ones, one more iovec costs the
/// kernel more time than the copy takes.
pub(crate) const BORROW_FROM: usize = 32 * 1024;

/// Writes a message as a frame: encoded values in a buffer, and large byte strings by reference.
///
/// Derived code uses it, and so do message types written by hand. Call [`tag`](Self::tag) first, then a method
/// for each field in order, always with the codec of the message type.
///
/// ```
/// use datagrammar::codec::Bincode;
/// use datagrammar::{DecodeError, Decoder, EncodeError, Encoder, Message, to_vec};
///
/// /// In essence, the expansion of `#[derive(Message)] #[message(tag = 5)] struct Beat { seq: u64 }`.
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
    /// Room for references to borrowed bytes, of which `count` are in use.
    pub(super) borrowed: &'m mut [Borrowed<'m>],
    pub(super) count: usize,
    /// The descriptors, which travel beside the frame.
    pub(super) descriptors: Vec<BorrowedFd<'m>>,
    /// The start of the current frame: other frames may precede it.
    pub(super) start: Mark,
    /// How many messages are around the one that is being written.
    pub(super) nested: u32,
    /// Elements of no bytes in the frame so far.
    pub(super) empty_elements: u32,
}

impl<'m> Encoder<'m> {
    /// Returns an encoder that clears `buffer` and writes to it.
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
    /// [`EncodeError::Field`] if the codec refuses the tag. [`EncodeError::ReservedTag`] if the first byte that
    /// the codec writes is 0. The default codec writes 0 only for tag 0.
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
    /// [`EncodeError::Field`], naming `field`, if its `Serialize` implementation or the codec refuses the value,
    /// if the value breaks the rules of [`codec`](crate::codec), or if a struct in it skips a field.
    #[inline]
    pub fn field<C: Codec, T>(&mut self, field: &'static str, value: &T) -> Result<(), EncodeError>
    where
        T: Serialize + ?Sized,
    {
        let Self { buffer, nested, empty_elements, .. } = self;
        encode_guarded::<C, T>(value, buffer, *nested, empty_elements)
            .map_err(|reason| EncodeError::Field { field, reason })
    }

    /// Writes a `u32` field, with the same bytes as [`field`](Self::field), but faster.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] if the codec refuses the number.
    #[inline]
    pub fn u32<C: Codec>(&mut self, field: &'static str, value: &u32) -> Result<(), EncodeError> {
        C::encode_u32(*value, &mut self.buffer)
            .map_err(|reason| EncodeError::Field { field, reason })
    }

    /// Writes a `u64` field, with the same bytes as [`field`](Self::field), but faster.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] if the codec refuses the number.
    #[inline]
    pub fn u64<C: Codec>(&mut self, field: &'static str, value: &u64) -> Result<(), EncodeError> {
        C::encode_u64(*value, &mut self.buffer)
            .map_err(|reason| EncodeError::Field { field, reason })
    }

    /// Writes a byte field: its length, then the bytes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] if the codec refuses the length.
    #[inline]
    pub fn bytes<C: Codec>(
        &mut self,
        field: &'static str,
        bytes: &'m [u8],
    ) -> Result<(), EncodeError> {
        self.u64::<C>(field, &(bytes.len() as u64))?;
        // The last reference is kept for a `rest` field.
        if bytes.len() < BORROW_FROM || self.count - self.start.borrowed + 1 >= MAX_BORROWED {
            self.copy(bytes);
        } else {
            self.rest(bytes);
        }
        Ok(())
    }

    /// Writes an optional byte field: a byte that says whether it is present, then the field as
    /// [`bytes`](Self::bytes) does.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] if the codec refuses the length.
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
    /// [`EncodeError::Field`] if the codec refuses the length.
    #[inline]
    pub fn text<C: Codec>(
        &mut self,
        field: &'static str,
        text: &'m str,
    ) -> Result<(), EncodeError> {
        self.bytes::<C>(field, text.as_bytes())
    }

    /// Writes an optional text field: a byte that says whether it is present, then the field as
    /// [`text`](Self::text) does.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] if the codec refuses the length.
    #[inline]
    pub fn optional_text<C: Codec>(
        &mut self,
        field: &'static str,
        text: Option<&'m str>,
    ) -> Result<(), EncodeError> {
        self.optional_bytes::<C>(field, text.map(str::as_bytes))
    }

    /// Writes bytes without a length before them, for a type with a fixed length.
    #[inline]
    pub fn copy(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Writes a `rest` field: its bytes, without a length. Large ones are not copied.
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

    /// Adds the descriptor of an `fd` field. Writes no bytes.
    pub fn fd(&mut self, descriptor: BorrowedFd<'m>) {
        self.descriptors.push(descriptor);
    }

    /// Writes an optional `fd` field: a byte that says whether it is present. Adds the descriptor.
    pub fn optional_fd(&mut self, descriptor: Option<BorrowedFd<'m>>) {
        self.buffer.push(u8::from(descriptor.is_some()));
        self.descriptors.extend(descriptor);
    }

    /// Writes an `fd` field with several descriptors: their number. Adds the descriptors.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Field`] if the codec refuses the number.
    pub fn fds<C: Codec>(
        &mut self,
        field: &'static str,
        descriptors: impl ExactSizeIterator<Item = BorrowedFd<'m>>,
    ) -> Result<(), EncodeError> {
        self.field::<C, _>(field, &(descriptors.len() as u64))?;
        self.descriptors.extend(descriptors);
        Ok(())
    }

    /// Writes an unknown message, with the bytes that were received.
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

    /// Returns the length of the frame so far, in bytes.
    #[inline]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty")]
    pub fn len(&self) -> usize {
        let borrowed = self.borrowed.get(self.start.borrowed..self.count).unwrap_or_default();
        borrowed
            .iter()
            .fold(self.buffer.len() - self.start.bytes, |len, borrowed| len + borrowed.bytes.len())
    }

    /// Returns the descriptors of the frame so far.
    #[inline]
    #[must_use]
    pub fn descriptors(&self) -> &[BorrowedFd<'m>] {
        self.descriptors.get(self.start.descriptors..).unwrap_or_default()
    }
}
