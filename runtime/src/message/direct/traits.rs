//! The traits of types that need no serde.

use crate::codec::Codec;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Decoder, Encoder};

/// A type that is written without serde.
pub trait Put {
    /// Whether no value of the type takes any bytes.
    const EMPTY: bool = false;

    /// Writes the value, with the same bytes as through serde.
    ///
    /// # Errors
    ///
    /// Those of [`Encoder::field`].
    fn put<'m, C: Codec>(
        &'m self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError>;

    /// Writes a sequence: the number of values, then the values.
    ///
    /// # Errors
    ///
    /// Those of [`Encoder::field`].
    #[inline]
    fn put_all<'m, C: Codec>(
        values: &'m [Self],
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError>
    where
        Self: Sized,
    {
        encoder.u64::<C>(field, &(values.len() as u64))?;
        if Self::EMPTY {
            encoder.count_empty(field, values.len())?;
        }
        values.iter().try_for_each(|value| value.put::<C>(field, encoder))
    }

    /// Writes an array: the values, without their number.
    ///
    /// # Errors
    ///
    /// Those of [`Encoder::field`].
    #[inline]
    fn put_array<'m, C: Codec>(
        values: &'m [Self],
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError>
    where
        Self: Sized,
    {
        values.iter().try_for_each(|value| value.put::<C>(field, encoder))
    }
}

/// A type that is read without serde.
pub trait Get<'f>: Sized {
    /// Whether no value of the type takes any bytes.
    const EMPTY: bool = false;

    /// Reads a value, from the same bytes as through serde.
    ///
    /// # Errors
    ///
    /// Those of [`Decoder::field`].
    fn get<C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<Self, DecodeError>;

    /// Reads a sequence: the number of values, then the values.
    ///
    /// # Errors
    ///
    /// Those of [`Decoder::field`].
    #[inline]
    fn get_all<C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<Vec<Self>, DecodeError> {
        let count = match Self::EMPTY {
            true => decoder.empty_count(field)?,
            false => decoder.count(field)?,
        };
        let mut values = decoder.room(count);
        for _ in 0..count {
            values.push(Self::get(field, decoder)?);
        }
        Ok(values)
    }

    /// Reads an array: the values, without their number.
    ///
    /// # Errors
    ///
    /// Those of [`Decoder::field`].
    #[inline]
    fn get_array<C: Codec, const N: usize>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<[Self; N], DecodeError> {
        decoder.elements(|decoder| Self::get(field, decoder))
    }
}
