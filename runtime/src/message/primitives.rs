//! The methods of encoders and decoders for types that need no serde.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::decoder::Decoder;
use super::encoder::Encoder;
use crate::codec::{Codec, MAX_EMPTY_ELEMENTS, encode_checked};
use crate::error::{DecodeError, EncodeError, Fault};

impl Encoder<'_> {
    /// Writes a field like [`field`](Self::field). In builds with debug assertions, it also checks that the bytes
    /// decode to the same variants.
    #[inline]
    pub(super) fn checked<C: Codec, T: Serialize + DeserializeOwned>(
        &mut self,
        field: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        let Self { buffer, nested, empty_elements, .. } = self;
        encode_checked::<C, T>(value, buffer, *nested, empty_elements)
            .map_err(|reason| EncodeError::Field { field, reason })
    }

    /// Writes a value that holds no other values and takes at least one byte.
    #[inline]
    pub(super) fn scalar<C: Codec, T: Serialize>(
        &mut self,
        field: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        C::encode(value, &mut self.buffer).map_err(|reason| EncodeError::Field { field, reason })
    }

    #[inline]
    pub(super) fn copy_all(&mut self, bytes: impl Iterator<Item = u8>) {
        self.buffer.extend(bytes);
    }

    /// Counts `count` more elements of no bytes.
    pub(super) fn count_empty(
        &mut self,
        field: &'static str,
        count: usize,
    ) -> Result<(), EncodeError> {
        let left = MAX_EMPTY_ELEMENTS.saturating_sub(self.empty_elements);
        match u32::try_from(count) {
            Ok(count) if count <= left => {
                self.empty_elements += count;
                Ok(())
            }
            _ => {
                let fault = Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS };
                Err(EncodeError::Field { field, reason: fault.to_string().into() })
            }
        }
    }

    /// Writes whether an optional value is present.
    #[inline]
    pub(super) fn presence(&mut self, is_present: bool) {
        self.buffer.push(u8::from(is_present));
    }
}

impl<'f, C: Codec> Decoder<'f, C> {
    /// Reads whether an optional value is present.
    pub(super) fn is_present(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        self.read(field, Self::presence)
    }

    /// Reads a value that holds no other values and takes at least one byte.
    #[inline]
    pub(super) fn scalar<T: Deserialize<'f>>(
        &mut self,
        field: &'static str,
    ) -> Result<T, DecodeError> {
        self.read(field, |decoder| {
            let (value, taken) = C::decode(PhantomData, decoder.unread)?;
            decoder.unread = decoder.unread.get(taken..).unwrap_or_default();
            Ok(value)
        })
    }

    /// Reads the `N` elements of an array.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    #[doc(hidden)]
    #[inline]
    pub fn elements<T, const N: usize>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<[T; N], DecodeError> {
        // The type declares `N`, not the frame: the array takes this memory anyway.
        let mut elements = Vec::with_capacity(N);
        for _ in 0..N {
            elements.push(read(self)?);
        }
        match elements.try_into() {
            Ok(array) => Ok(array),
            Err(_) => unreachable!("the loop reads N elements"),
        }
    }

    /// Reads the number of elements of no bytes, and counts them.
    pub(super) fn empty_count(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        let offset = self.offset();
        let count = self.u64(field)?;
        match u32::try_from(count) {
            Ok(few) if few <= MAX_EMPTY_ELEMENTS.saturating_sub(self.empty_elements) => {
                self.empty_elements += few;
                Ok(count)
            }
            _ => {
                let fault = Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS };
                Err(self.error(field, offset, fault))
            }
        }
    }

    /// Reads the number of elements, each of which takes at least one byte.
    pub(super) fn count(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.read(field, |decoder| {
            let (count, unread) = C::decode_u64(decoder.unread)?;
            decoder.unread = unread;
            let values = usize::try_from(count).unwrap_or(usize::MAX);
            match values.checked_sub(unread.len()) {
                None | Some(0) => Ok(count),
                Some(missing) => Err(Fault::Short { missing }),
            }
        })
    }

    /// Returns a `Vec` with room for `count` values, but for no more bytes than are left in the frame.
    pub(super) fn room<T>(&self, count: u64) -> Vec<T> {
        let most = self.unread.len() / size_of::<T>().max(1);
        Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX).min(most))
    }
}
