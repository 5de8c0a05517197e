//! What encoders and decoders do for types that need no serde.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::decoder::Decoder;
use super::encoder::Encoder;
use crate::codec::{Codec, MAX_EMPTY_ELEMENTS, encode_checked};
use crate::error::{DecodeError, EncodeError, Fault};

impl Encoder<'_> {
    /// Writes a field as [`field`](Self::field) does. In builds with debug assertions, it checks that the field
    /// is received as it is sent.
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

    /// Writes a value that holds no others and takes at least a byte.
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

    /// Counts as many elements of no bytes.
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

    /// Writes whether an optional value is there.
    #[inline]
    pub(super) fn presence(&mut self, is_present: bool) {
        self.buffer.push(u8::from(is_present));
    }
}

impl<'f, C: Codec> Decoder<'f, C> {
    /// Reads whether an optional value is there.
    pub(super) fn is_present(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        self.read(field, Self::presence)
    }

    /// Reads a value that holds no others and takes at least a byte.
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

    /// Reads as many elements as the type declares.
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
        // An array that is declared is memory that its type has anyway.
        let mut elements = Vec::with_capacity(N);
        for _ in 0..N {
            elements.push(read(self)?);
        }
        match elements.try_into() {
            Ok(array) => Ok(array),
            Err(_) => unreachable!("as many were read"),
        }
    }

    /// Reads how many values of no bytes follow.
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

    /// Reads how many values follow, each of which takes a byte at least.
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

    /// Room for as many values, in no more memory than there are bytes left to read them from.
    pub(super) fn room<T>(&self, count: u64) -> Vec<T> {
        let most = self.unread.len() / size_of::<T>().max(1);
        Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX).min(most))
    }
}
