//! Nested fields: the types that nest, and how derived code writes and reads them.

use std::marker::PhantomData;
use std::ops::Deref;

use crate::codec::Codec;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Decoder, Descriptors, Encoder, Message, Nothing};

/// A type of `#[message(nested)]` fields: a message, or an `Option` or a `Vec` of such a type.
///
/// A `Box` of a message is a message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a `nested` field",
    label = "not a message, nor a `Box`, `Option` or `Vec` of one",
    note = "for your own type, derive `Message`; instead of a map, an array or a tuple of messages, write a `Vec` of a struct that derives `Message`; for a type that holds no message, remove `nested`"
)]
pub trait Nested {
    /// Whether the field can carry descriptors. This is `true` for every `Vec` and `Box`: a message may contain itself in
    /// one, and then the constant would depend on itself.
    const DESCRIPTORS: bool = true;

    /// This type with the lifetime `'f` of the frame that it borrows from.
    type Borrowed<'f>;

    /// Writes the field.
    ///
    /// # Errors
    ///
    /// Those of [`Message::encode`], and [`EncodeError::Field`] for a message that is nested too deep.
    fn write<'m, C: Codec>(
        &'m self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError>;

    /// Reads the field.
    ///
    /// # Errors
    ///
    /// Those of [`Message::decode`].
    fn read<'f, C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
        descriptors: &mut Descriptors,
    ) -> Result<Self::Borrowed<'f>, DecodeError>;

    /// Writes the value as the last part of a frame: a message without its length.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    #[doc(hidden)]
    #[inline]
    fn write_last<'m, C: Codec>(
        &'m self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        self.write::<C>(field, encoder)
    }

    /// Reads the value that [`write_last`](Self::write_last) wrote.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    #[doc(hidden)]
    #[inline]
    fn read_last<'f, C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
        descriptors: &mut Descriptors,
    ) -> Result<Self::Borrowed<'f>, DecodeError> {
        Self::read(field, decoder, descriptors)
    }
}

impl<'m> Encoder<'m> {
    /// Writes a `nested` field: the length of the nested frame, then the frame.
    ///
    /// # Errors
    ///
    /// Those of [`encode`](Message::encode) of the nested message. [`EncodeError::Field`] if it is nested deeper
    /// than [`MAX_DEPTH`](crate::codec::MAX_DEPTH).
    #[inline]
    pub fn nested<C: Codec, T: Nested>(
        &mut self,
        field: &'static str,
        value: &'m T,
    ) -> Result<(), EncodeError> {
        value.write::<C>(field, self)
    }
}

impl<'f, C: Codec> Decoder<'f, C> {
    /// Reads a `nested` field: the length of the nested frame, then the frame.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Nested`], naming `field`, with the error of the nested message.
    #[inline]
    pub fn nested<T: Nested<Borrowed<'f> = B>, B>(
        &mut self,
        field: &'static str,
        descriptors: &mut Descriptors,
    ) -> Result<B, DecodeError> {
        T::read(field, self, descriptors)
    }
}

/// The type of a `nested` field.
#[derive(Debug)]
pub struct NestedType<T>(PhantomData<T>);

impl<T: Nested> NestedType<T> {
    /// Whether the field can carry descriptors.
    pub const DESCRIPTORS: bool = T::DESCRIPTORS;
}

/// Supplies the constant for types that do not nest, so that the compiler reports such a type only once.
pub trait NoDescriptors {
    /// The field cannot carry descriptors.
    const DESCRIPTORS: bool = false;
}

impl<T> NoDescriptors for NestedType<T> {}

/// The value of a `nested` field, to be written.
#[derive(Debug)]
pub struct NestedValue<'m, T>(pub &'m T);

impl<'m, T: Nested> NestedValue<'m, T> {
    #[doc(hidden)]
    #[inline]
    pub fn __put<C: Codec>(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        self.0.write::<C>(field, encoder)
    }
}

impl<'m, M: Message> NestedValue<'m, M> {
    #[doc(hidden)]
    #[inline]
    pub fn __put_rest(
        self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.nested_rest(field, self.0)
    }
}

impl<T> Deref for NestedValue<'_, T> {
    type Target = Nothing;

    fn deref(&self) -> &Nothing {
        &Nothing
    }
}

#[diagnostic::do_not_recommend]
impl<M: Message> Nested for M {
    const DESCRIPTORS: bool = M::NESTED_DESCRIPTORS;

    type Borrowed<'f> = M::Borrowed<'f>;

    fn write<'m, C: Codec>(
        &'m self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.frame_behind_length::<C, M>(field, self)
    }

    fn read<'f, C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
        descriptors: &mut Descriptors,
    ) -> Result<M::Borrowed<'f>, DecodeError> {
        decoder.frame_behind_length::<M>(field, descriptors)
    }

    fn write_last<'m, C: Codec>(
        &'m self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.nested_rest(field, self)
    }

    fn read_last<'f, C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
        descriptors: &mut Descriptors,
    ) -> Result<M::Borrowed<'f>, DecodeError> {
        decoder.nested_rest::<M>(field, descriptors)
    }
}

impl<T: Nested> Nested for Option<T> {
    const DESCRIPTORS: bool = T::DESCRIPTORS;

    type Borrowed<'f> = Option<T::Borrowed<'f>>;

    fn write<'m, C: Codec>(
        &'m self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.presence(self.is_some());
        self.as_ref().map_or(Ok(()), |value| value.write::<C>(field, encoder))
    }

    fn read<'f, C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
        descriptors: &mut Descriptors,
    ) -> Result<Self::Borrowed<'f>, DecodeError> {
        match decoder.is_present(field)? {
            true => T::read(field, decoder, descriptors).map(Some),
            false => Ok(None),
        }
    }
}

impl<T: Nested> Nested for Vec<T> {
    type Borrowed<'f> = Vec<T::Borrowed<'f>>;

    fn write<'m, C: Codec>(
        &'m self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.u64::<C>(field, &(self.len() as u64))?;
        self.iter().try_for_each(|value| value.write::<C>(field, encoder))
    }

    fn read<'f, C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
        descriptors: &mut Descriptors,
    ) -> Result<Self::Borrowed<'f>, DecodeError> {
        // Reserve nothing: the claimed counts of nested `Vec`s would add up.
        let (mut values, count) = (Vec::new(), decoder.count(field)?);
        for _ in 0..count {
            values.push(T::read(field, decoder, descriptors)?);
        }
        Ok(values)
    }
}
