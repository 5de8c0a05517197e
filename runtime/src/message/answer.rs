//! The value of an answer. Only the compiler knows whether its type is a message. A message is written like a field
//! that is `nested` and `rest`, and an `Option` or a `Vec` of messages like a `nested` field. Any other type is written
//! like an unmarked field.
//!
//! The compiler finds the methods for types that nest first. Each type here is behind a `Deref` to the type for
//! unmarked fields, so the compiler finds the methods of that type next.

use std::ops::Deref;

use super::decoder::Decoder;
use super::descriptors::Descriptors;
use super::direct::{Of, OwnedValue, Value};
use super::encoder::Encoder;
use super::nested::Nested;
use super::unmarked::Unmarked;
use crate::codec::Codec;
use crate::error::{DecodeError, EncodeError};

/// The value of an answer, to be written: a [`Value`] or an [`OwnedValue`].
#[derive(Debug)]
pub struct AnswerValue<V>(pub V);

impl<'m, T: Nested> AnswerValue<Value<'m, T>> {
    #[doc(hidden)]
    #[inline]
    pub fn __put<C: Codec>(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        let Value(value) = self.0;
        value.write_last::<C>(field, encoder)
    }
}

impl<'m, T: Nested> AnswerValue<OwnedValue<'m, T>> {
    #[doc(hidden)]
    #[inline]
    pub fn __put<C: Codec>(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        let OwnedValue(value) = self.0;
        value.write_last::<C>(field, encoder)
    }
}

impl<V> Deref for AnswerValue<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.0
    }
}

/// The type of an answer's value, to be read from a frame with the lifetime `'f`.
#[derive(Debug)]
pub struct AnswerOf<'d, 'f, T> {
    descriptors: &'d mut Descriptors,
    of: Of<'f, T>,
}

impl<'d, T> AnswerOf<'d, '_, T> {
    /// Takes descriptors from `descriptors`.
    pub fn new(descriptors: &'d mut Descriptors) -> Self {
        Self { descriptors, of: Of::TYPE }
    }
}

impl<'f, T: Nested> AnswerOf<'_, 'f, T> {
    #[doc(hidden)]
    #[inline]
    pub fn __get<C: Codec>(
        self,
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<T::Borrowed<'f>, DecodeError> {
        T::read_last(field, decoder, self.descriptors)
    }
}

impl<'f, T> Deref for AnswerOf<'_, 'f, T> {
    type Target = Of<'f, T>;

    fn deref(&self) -> &Of<'f, T> {
        &self.of
    }
}

/// The type of an answer's value. It may be a message, but it may hold none elsewhere.
#[derive(Debug)]
pub struct AnswerType<T: ?Sized>(Unmarked<T>);

impl<T: ?Sized> AnswerType<T> {
    /// The only value.
    pub const FIELD: Self = Self(Unmarked::FIELD);
}

impl<T: Nested> AnswerType<T> {
    #[doc(hidden)]
    #[inline(always)]
    pub fn __check(self) {}
}

impl<T: ?Sized> Deref for AnswerType<T> {
    type Target = Unmarked<T>;

    fn deref(&self) -> &Unmarked<T> {
        &self.0
    }
}
