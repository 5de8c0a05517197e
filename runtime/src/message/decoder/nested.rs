//! What a decoder reads for nested messages, and for types that need no serde.

use std::marker::PhantomData;

use serde::Deserialize;

use super::Decoder;
use crate::codec::{Codec, MAX_DEPTH, MAX_EMPTY_ELEMENTS};
use crate::error::{DecodeError, Fault};
use crate::message::{Descriptors, Message, Nested};

impl<'f, C: Codec> Decoder<'f, C> {
    /// A decoder at the start of `frame`, which is in another one that `descriptors` came with.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    #[doc(hidden)]
    pub fn nested_in(frame: &'f [u8], descriptors: &Descriptors) -> Result<Self, DecodeError> {
        let (nested, empty_elements) = descriptors.nesting();
        Ok(Self { nested, empty_elements, ..Self::new(frame)? })
    }

    /// Hands on what is counted across nested frames, at the end of one.
    #[doc(hidden)]
    pub fn leave(&self, descriptors: &mut Descriptors) {
        descriptors.left_nested(self.empty_elements, self.is_unknown || !self.is_at_end());
    }

    /// Reads a `nested` field: the length of its message's frame, then the frame.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Nested`], naming `field`, around the nested message's error.
    #[inline]
    pub fn nested<T: Nested>(
        &mut self,
        field: &'static str,
        descriptors: &mut Descriptors,
    ) -> Result<T::Borrowed<'f>, DecodeError> {
        T::read(field, self, descriptors)
    }

    /// Reads a `nested` field that is the `rest` too: its message's frame, up to the end of this one.
    ///
    /// # Errors
    ///
    /// As [`nested`](Self::nested).
    pub fn nested_rest<M: Message>(
        &mut self,
        field: &'static str,
        descriptors: &mut Descriptors,
    ) -> Result<M::Borrowed<'f>, DecodeError> {
        let offset = self.offset();
        let frame = self.rest();
        self.frame::<M>(field, offset, frame, descriptors)
    }

    pub(in crate::message) fn frame_behind_length<M: Message>(
        &mut self,
        field: &'static str,
        descriptors: &mut Descriptors,
    ) -> Result<M::Borrowed<'f>, DecodeError> {
        let frame = self.read(field, Self::prefixed)?;
        let offset = self.offset() - frame.len();
        self.frame::<M>(field, offset, frame, descriptors)
    }

    fn frame<M: Message>(
        &mut self,
        field: &'static str,
        offset: usize,
        frame: &'f [u8],
        descriptors: &mut Descriptors,
    ) -> Result<M::Borrowed<'f>, DecodeError> {
        if self.nested >= MAX_DEPTH {
            return Err(self.error(field, offset, Fault::TooDeep { limit: MAX_DEPTH }));
        }
        descriptors.enter_nested(self.nested + 1, self.empty_elements);
        let result = M::decode_nested(frame, descriptors);
        (_, self.empty_elements) = descriptors.nesting();
        descriptors.enter_nested(self.nested, self.empty_elements);
        result.map_err(|error| error.in_field(field, offset, self.frame.len()))
    }

    /// Reads whether an optional value is there.
    pub(in crate::message) fn is_present(
        &mut self,
        field: &'static str,
    ) -> Result<bool, DecodeError> {
        self.read(field, Self::presence)
    }

    /// Reads a value that holds no others and takes at least a byte.
    #[inline]
    pub(in crate::message) fn scalar<T: Deserialize<'f>>(
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
    pub(in crate::message) fn empty_count(
        &mut self,
        field: &'static str,
    ) -> Result<u64, DecodeError> {
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
    pub(in crate::message) fn count(&mut self, field: &'static str) -> Result<u64, DecodeError> {
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
    pub(in crate::message) fn room<T>(&self, count: u64) -> Vec<T> {
        let most = self.unread.len() / size_of::<T>().max(1);
        Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX).min(most))
    }
}
