//! Frame to message: a cursor over the bytes of a frame, which names the field in every error.

use std::marker::PhantomData;

use serde::Deserialize;

use super::unknown::Unknown;
use crate::codec::{Codec, decode_guarded};
use crate::error::{DecodeError, Fault};

/// Reads a message from a frame, field by field.
///
/// The counterpart is [`Encoder`](super::Encoder), which has an example.
///
/// Derived code uses it, and so do message types written by hand. It applies the rules of
/// [`codec`](crate::codec) to every value.
#[derive(Debug)]
pub struct Decoder<'f, C> {
    pub(super) frame: &'f [u8],
    /// The unread bytes: a tail of `frame`.
    pub(super) unread: &'f [u8],
    /// Elements of no bytes so far.
    pub(super) empty_elements: u32,
    /// How many messages are around this one.
    pub(super) nested: u32,
    /// Whether the message became an `Unknown`, because no variant has its tag.
    pub(super) is_unknown: bool,
    pub(super) codec: PhantomData<fn() -> C>,
}

impl<'f, C: Codec> Decoder<'f, C> {
    /// Returns a decoder at the start of `frame`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Empty`] for a frame of no bytes.
    #[inline]
    pub fn new(frame: &'f [u8]) -> Result<Self, DecodeError> {
        if frame.is_empty() {
            return Err(DecodeError::Empty);
        }
        Ok(Self {
            frame,
            unread: frame,
            empty_elements: 0,
            nested: 0,
            is_unknown: false,
            codec: PhantomData,
        })
    }

    /// Reads the tag.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Tag`].
    #[inline]
    pub fn tag(&mut self) -> Result<u32, DecodeError> {
        let (tag, unread) = C::decode_u32(self.unread)
            .map_err(|fault| DecodeError::Tag { len: self.frame.len(), fault })?;
        self.unread = unread;
        Ok(tag)
    }

    /// Reads a field through serde.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`], naming `field`.
    #[inline]
    pub fn field<T>(&mut self, field: &'static str) -> Result<T, DecodeError>
    where
        T: Deserialize<'f>,
    {
        self.read(field, Self::value)
    }

    /// Reads a `u32` field. Returns the same as [`field`](Self::field), but is faster.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`], naming `field`.
    #[inline]
    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.read(field, |decoder| {
            let (value, unread) = C::decode_u32(decoder.unread)?;
            decoder.unread = unread;
            Ok(value)
        })
    }

    /// Reads a `u64` field. Returns the same as [`field`](Self::field), but is faster.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`], naming `field`.
    #[inline]
    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.read(field, |decoder| {
            let (value, unread) = C::decode_u64(decoder.unread)?;
            decoder.unread = unread;
            Ok(value)
        })
    }

    /// Reads a byte field: a length, then that many bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`], naming `field`.
    #[inline]
    pub fn bytes<T>(&mut self, field: &'static str) -> Result<T, DecodeError>
    where
        T: From<&'f [u8]>,
    {
        self.read(field, Self::prefixed).map(T::from)
    }

    /// Reads an optional byte field: a byte that says whether it is present, then the field as
    /// [`bytes`](Self::bytes) does.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`], naming `field`.
    #[inline]
    pub fn optional_bytes<T>(&mut self, field: &'static str) -> Result<Option<T>, DecodeError>
    where
        T: From<&'f [u8]>,
    {
        Ok(self.read(field, Self::optional)?.map(T::from))
    }

    /// Reads `N` bytes, without a length before them.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`], naming `field`.
    #[inline]
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        self.read(field, |decoder| {
            let missing = N.saturating_sub(decoder.unread.len());
            let (array, unread) =
                decoder.unread.split_first_chunk().ok_or(Fault::Short { missing })?;
            decoder.unread = unread;
            Ok(*array)
        })
    }

    /// Reads a text field: a length, then that many bytes of UTF-8.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`], naming `field`.
    #[inline]
    pub fn text<T>(&mut self, field: &'static str) -> Result<T, DecodeError>
    where
        T: From<&'f str>,
    {
        self.read(field, |decoder| decoder.prefixed().and_then(utf8)).map(T::from)
    }

    /// Reads an optional text field: a byte that says whether it is present, then the field as
    /// [`text`](Self::text) does.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`], naming `field`.
    #[inline]
    pub fn optional_text<T>(&mut self, field: &'static str) -> Result<Option<T>, DecodeError>
    where
        T: From<&'f str>,
    {
        let text = self.read(field, |decoder| decoder.optional()?.map(utf8).transpose())?;
        Ok(text.map(T::from))
    }

    /// Reads a `rest` field: all bytes up to the end of the frame.
    #[inline]
    pub fn rest<T>(&mut self) -> T
    where
        T: From<&'f [u8]>,
    {
        T::from(std::mem::take(&mut self.unread))
    }

    /// Returns whether an optional `fd` field is present. Take its descriptor from
    /// [`Descriptors`](super::Descriptors).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`], naming `field`.
    pub fn has_fd(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        self.read(field, Self::presence)
    }

    /// Returns how many descriptors an `fd` field holds. Take them from
    /// [`Descriptors`](super::Descriptors).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`], naming `field`.
    pub fn fd_count(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.u64(field)
    }

    /// Reads the tag of a message type with only one.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Tag`]; [`DecodeError::UnknownTag`] for any other tag.
    #[doc(hidden)]
    #[inline]
    pub fn only_tag(&mut self, tag: u32) -> Result<(), DecodeError> {
        match self.tag()? {
            read if read == tag => Ok(()),
            other => Err(DecodeError::UnknownTag(other)),
        }
    }

    /// Reads the rest of a message with an unknown tag.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnknownTag`] for tag 0, which is reserved for the runtime.
    #[inline]
    pub fn unknown(&mut self, tag: u32) -> Result<Unknown<'f>, DecodeError> {
        if tag == crate::wire::RESERVED_TAG {
            return Err(DecodeError::UnknownTag(tag));
        }
        self.is_unknown = true;
        Ok(Unknown::new(tag, self.rest::<&'f [u8]>()))
    }

    /// Returns whether no bytes are left, as before a `default` field in the frame of an older sender.
    #[inline]
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.unread.is_empty()
    }

    /// Checks that no bytes are left after the message.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TrailingBytes`] if some are.
    #[inline]
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.is_at_end() {
            return Ok(());
        }
        Err(DecodeError::TrailingBytes { consumed: self.offset(), len: self.frame.len() })
    }

    /// Calls `read`, and turns its fault into an error that names `field`.
    #[inline(always)]
    pub(super) fn read<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, DecodeError> {
        let offset = self.offset();
        read(self).map_err(|fault| self.error(field, offset, fault))
    }

    #[inline]
    fn value<T>(&mut self) -> Result<T, Fault>
    where
        T: Deserialize<'f>,
    {
        let (value, taken) =
            decode_guarded::<C, T>(self.unread, self.nested, &mut self.empty_elements)?;
        self.unread = self.unread.get(taken..).unwrap_or_default();
        Ok(value)
    }

    #[inline(always)]
    pub(super) fn prefixed(&mut self) -> Result<&'f [u8], Fault> {
        let (len, unread) = C::decode_u64(self.unread)?;
        self.unread = unread;
        // A length that does not fit in a `usize` exceeds the frame too.
        self.take(usize::try_from(len).unwrap_or(usize::MAX))
    }

    #[inline]
    fn optional(&mut self) -> Result<Option<&'f [u8]>, Fault> {
        match self.presence()? {
            true => self.prefixed().map(Some),
            false => Ok(None),
        }
    }

    #[inline]
    pub(super) fn presence(&mut self) -> Result<bool, Fault> {
        match self.take(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            other => Err(no_presence(other)),
        }
    }

    #[inline(always)]
    fn take(&mut self, len: usize) -> Result<&'f [u8], Fault> {
        match self.unread.split_at_checked(len) {
            Some((taken, unread)) => {
                self.unread = unread;
                Ok(taken)
            }
            None => Err(Fault::Short { missing: len - self.unread.len() }),
        }
    }

    #[inline(always)]
    pub(super) fn offset(&self) -> usize {
        self.frame.len() - self.unread.len()
    }

    #[cold]
    pub(super) fn error(&self, field: &'static str, offset: usize, fault: Fault) -> DecodeError {
        DecodeError::Field { field, offset, len: self.frame.len(), fault }
    }
}

#[inline]
fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|error| Fault::Utf8 { valid_up_to: error.valid_up_to() })
}

#[cold]
fn no_presence(byte: &[u8]) -> Fault {
    Fault::Invalid(format!("an `Option` begins with the byte 0 or 1, not {byte:?}").into())
}
