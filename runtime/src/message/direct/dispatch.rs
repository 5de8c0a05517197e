//! How the compiler chooses the way to write and to read a field: without serde, or through it.

use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::traits::{Get, Put};
use crate::codec::Codec;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Decoder, Encoder, HoldsMessage, MarkedNested};

/// The value of a field, to be written.
#[derive(Debug)]
pub struct Value<'m, T: ?Sized>(pub &'m T);

impl<T: ?Sized> Clone for Value<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Value<'_, T> {}

impl<'m, T: Put> Value<'m, T> {
    #[doc(hidden)]
    #[inline]
    pub fn __put<C: Codec>(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        self.0.put::<C>(field, encoder)
    }
}

/// The value of a field whose type names no lifetime, to be written.
#[derive(Debug)]
pub struct OwnedValue<'m, T: ?Sized>(pub &'m T);

impl<T: ?Sized> Clone for OwnedValue<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for OwnedValue<'_, T> {}

impl<'m, T: Put> OwnedValue<'m, T> {
    #[doc(hidden)]
    #[inline]
    pub fn __put<C: Codec>(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        self.0.put::<C>(field, encoder)
    }
}

/// The type of a field, to be read from a frame with the lifetime `'f`.
#[derive(Debug)]
pub struct Of<'f, T>(PhantomData<fn(&'f ()) -> T>);

impl<T> Clone for Of<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Of<'_, T> {}

impl<T> Of<'_, T> {
    /// The only value.
    pub const TYPE: Self = Self(PhantomData);
}

impl<'f, T: Get<'f>> Of<'f, T> {
    #[doc(hidden)]
    #[inline]
    pub fn __get<C: Codec>(
        self,
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<T, DecodeError> {
        T::get(field, decoder)
    }
}

/// Writes a type through serde that owns its values, so that the bytes can be decoded again as a check.
pub trait PutChecked<'m>: Sized {
    #[doc(hidden)]
    fn __put<C: Codec>(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError>;
}

impl<'m, T: Serialize + DeserializeOwned> PutChecked<'m> for OwnedValue<'m, T> {
    #[inline]
    fn __put<C: Codec>(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.checked::<C, T>(field, self.0)
    }
}

/// Writes any type through serde. It is implemented for references, so the compiler finds it after
/// [`PutChecked`].
pub trait PutThroughSerde<'m>: Sized {
    #[doc(hidden)]
    fn __put<C: Codec>(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError>;
}

/// Supplies the methods for types that cannot be written, so that the compiler reports such a type only once,
/// where it is read. It is behind a `Deref`, so the compiler finds its methods last.
#[derive(Debug)]
pub struct Nothing;

impl Nothing {
    #[doc(hidden)]
    pub fn __put<C: Codec>(
        &self,
        field: &'static str,
        encoder: &mut Encoder<'_>,
    ) -> Result<(), EncodeError> {
        _ = (field, encoder);
        unreachable!("a field that cannot be written does not compile")
    }

    #[doc(hidden)]
    pub fn __put_rest(
        &self,
        field: &'static str,
        encoder: &mut Encoder<'_>,
    ) -> Result<(), EncodeError> {
        _ = (field, encoder);
        unreachable!("a field that cannot be written does not compile")
    }
}

impl<T: ?Sized> Deref for Value<'_, T> {
    type Target = Nothing;

    fn deref(&self) -> &Nothing {
        &Nothing
    }
}

impl<T: ?Sized> Deref for OwnedValue<'_, T> {
    type Target = Nothing;

    fn deref(&self) -> &Nothing {
        &Nothing
    }
}

impl<'m, T: Serialize + ?Sized> PutThroughSerde<'m> for &Value<'m, T> {
    #[inline]
    fn __put<C: Codec>(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.field::<C, T>(field, self.0)
    }
}

impl<'m, T: Serialize + ?Sized> PutThroughSerde<'m> for &OwnedValue<'m, T> {
    #[inline]
    fn __put<C: Codec>(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.field::<C, T>(field, self.0)
    }
}

/// A type that serde can write and read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a message",
    label = "`Serialize` or `Deserialize` is missing",
    note = "for your own type, write #[derive(serde::Serialize, serde::Deserialize)] before it, or derive `Message` and mark the field #[message(nested)], unless it answers a call",
    note = "for a descriptor, mark the field #[message(fd)], and in an answer, put it into a struct that derives `Message`; for a type of another crate, turn on its `serde` feature, or write functions that encode it: #[message(with = path)]"
)]
pub trait FieldType<'f>: Serialize + Deserialize<'f> {}

#[diagnostic::do_not_recommend]
impl<'f, T: Serialize + Deserialize<'f>> FieldType<'f> for T {}

/// Refuses a type that is or holds a message, in a field that is not marked `nested`.
pub trait GetUnmarked: Sized {
    #[doc(hidden)]
    type Value;

    #[doc(hidden)]
    fn __get<C: Codec>(
        self,
        field: &'static str,
        decoder: &mut Decoder<'_, C>,
    ) -> Result<Self::Value, DecodeError>
    where
        Self::Value: MarkedNested,
    {
        _ = (field, decoder);
        unreachable!("no type is `MarkedNested`")
    }
}

impl<T: HoldsMessage> GetUnmarked for Of<'_, T> {
    type Value = T;
}

/// Reads any type through serde. It is implemented for references, so the compiler finds it after
/// [`GetUnmarked`].
pub trait GetThroughSerde<'f>: Sized {
    #[doc(hidden)]
    type Value;

    #[doc(hidden)]
    fn __get<C: Codec>(
        self,
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<Self::Value, DecodeError>
    where
        Self::Value: FieldType<'f>;
}

impl<'f, T> GetThroughSerde<'f> for &Of<'f, T> {
    type Value = T;

    #[inline]
    fn __get<C: Codec>(
        self,
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<T, DecodeError>
    where
        T: FieldType<'f>,
    {
        decoder.field(field)
    }
}
