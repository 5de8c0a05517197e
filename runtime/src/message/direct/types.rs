//! The types that need no serde.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::traits::{Get, Put};
use crate::codec::Codec;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Decoder, Encoder};

/// Types that the codec writes and reads.
macro_rules! scalars {
    ($($scalar:ty)*) => {$(
        impl Put for $scalar {
            #[inline]
            fn put<'m, C: Codec>(
                &'m self,
                field: &'static str,
                encoder: &mut Encoder<'m>,
            ) -> Result<(), EncodeError> {
                encoder.scalar::<C, Self>(field, self)
            }
        }

        impl Get<'_> for $scalar {
            #[inline]
            fn get<C: Codec>(
                field: &'static str,
                decoder: &mut Decoder<'_, C>,
            ) -> Result<Self, DecodeError> {
                decoder.scalar(field)
            }
        }
    )*};
}

scalars!(u16 u128 usize i16 i32 i64 i128 isize f32 f64 bool char);

/// Numbers for which codecs have their own functions.
macro_rules! numbers {
    ($($number:ident)*) => {$(
        impl Put for $number {
            #[inline]
            fn put<'m, C: Codec>(
                &'m self,
                field: &'static str,
                encoder: &mut Encoder<'m>,
            ) -> Result<(), EncodeError> {
                encoder.$number::<C>(field, self)
            }
        }

        impl Get<'_> for $number {
            #[inline]
            fn get<C: Codec>(
                field: &'static str,
                decoder: &mut Decoder<'_, C>,
            ) -> Result<Self, DecodeError> {
                decoder.$number(field)
            }
        }
    )*};
}

numbers!(u32 u64);

impl Put for u8 {
    #[inline]
    fn put<'m, C: Codec>(
        &'m self,
        _: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.copy(&[*self]);
        Ok(())
    }

    #[inline]
    fn put_all<'m, C: Codec>(
        values: &'m [Self],
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.bytes::<C>(field, values)
    }

    #[inline]
    fn put_array<'m, C: Codec>(
        values: &'m [Self],
        _: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.copy(values);
        Ok(())
    }
}

impl Get<'_> for u8 {
    #[inline]
    fn get<C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'_, C>,
    ) -> Result<Self, DecodeError> {
        decoder.array(field).map(|[byte]| byte)
    }

    #[inline]
    fn get_all<C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'_, C>,
    ) -> Result<Vec<Self>, DecodeError> {
        decoder.bytes(field)
    }

    #[inline]
    fn get_array<C: Codec, const N: usize>(
        field: &'static str,
        decoder: &mut Decoder<'_, C>,
    ) -> Result<[Self; N], DecodeError> {
        decoder.array(field)
    }
}

impl Put for i8 {
    #[inline]
    fn put<'m, C: Codec>(
        &'m self,
        _: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.copy(&self.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn put_all<'m, C: Codec>(
        values: &'m [Self],
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.u64::<C>(field, &(values.len() as u64))?;
        encoder.copy_all(values.iter().map(|value| value.cast_unsigned()));
        Ok(())
    }
}

impl Get<'_> for i8 {
    #[inline]
    fn get<C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'_, C>,
    ) -> Result<Self, DecodeError> {
        decoder.array(field).map(Self::from_le_bytes)
    }

    #[inline]
    fn get_all<C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'_, C>,
    ) -> Result<Vec<Self>, DecodeError> {
        let bytes: &[u8] = decoder.bytes(field)?;
        Ok(bytes.iter().map(|byte| byte.cast_signed()).collect())
    }
}

/// Owned and shared text.
macro_rules! slices {
    ($($slice:ty: $method:ident($content:ty) $(, $shared:ident)?;)*) => {$(
        impl Put for $slice {
            #[inline]
            fn put<'m, C: Codec>(
                &'m self,
                field: &'static str,
                encoder: &mut Encoder<'m>,
            ) -> Result<(), EncodeError> {
                encoder.$method::<C>(field, self)
            }
        }

        impl<'f> Get<'f> for $slice {
            #[inline]
            fn get<C: Codec>(
                field: &'static str,
                decoder: &mut Decoder<'f, C>,
            ) -> Result<Self, DecodeError> {
                let slice: &'f $content = decoder.$method(field)?;
                Ok(slice.into())
            }
        }
    )*};
}

slices! {
    String: text(str);
    Box<str>: text(str);
    Arc<str>: text(str);
    Rc<str>: text(str);
}

/// Bytes and text that the frame lends.
macro_rules! lent {
    ($($content:ty: $method:ident;)*) => {$(
        impl Put for &$content {
            #[inline]
            fn put<'m, C: Codec>(
                &'m self,
                field: &'static str,
                encoder: &mut Encoder<'m>,
            ) -> Result<(), EncodeError> {
                encoder.$method::<C>(field, self)
            }
        }

        impl<'f: 'a, 'a> Get<'f> for &'a $content {
            #[inline]
            fn get<C: Codec>(
                field: &'static str,
                decoder: &mut Decoder<'f, C>,
            ) -> Result<Self, DecodeError> {
                let slice: &'f $content = decoder.$method(field)?;
                Ok(slice)
            }
        }

        // Owned, as through serde: the lifetime may be longer than that of the frame.
        impl Put for Cow<'_, $content> {
            #[inline]
            fn put<'m, C: Codec>(
                &'m self,
                field: &'static str,
                encoder: &mut Encoder<'m>,
            ) -> Result<(), EncodeError> {
                encoder.$method::<C>(field, self)
            }
        }

        impl<'f> Get<'f> for Cow<'_, $content> {
            #[inline]
            fn get<C: Codec>(
                field: &'static str,
                decoder: &mut Decoder<'f, C>,
            ) -> Result<Self, DecodeError> {
                let slice: &'f $content = decoder.$method(field)?;
                Ok(Self::Owned(slice.into()))
            }
        }
    )*};
}

lent! {
    [u8]: bytes;
    str: text;
}

/// Sequences.
macro_rules! sequences {
    ($($sequence:ident<$element:ty>)*) => {$(
        impl<T: Put> Put for $sequence<$element> {
            #[inline]
            fn put<'m, C: Codec>(
                &'m self,
                field: &'static str,
                encoder: &mut Encoder<'m>,
            ) -> Result<(), EncodeError> {
                T::put_all::<C>(self, field, encoder)
            }
        }

        impl<'f, T: Get<'f>> Get<'f> for $sequence<$element> {
            #[inline]
            fn get<C: Codec>(
                field: &'static str,
                decoder: &mut Decoder<'f, C>,
            ) -> Result<Self, DecodeError> {
                T::get_all(field, decoder).map(Self::from)
            }
        }
    )*};
}

sequences!(Vec<T> Box<[T]> Arc<[T]> Rc<[T]>);

impl<T: Put> Put for Option<T> {
    #[inline]
    fn put<'m, C: Codec>(
        &'m self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        encoder.presence(self.is_some());
        self.as_ref().map_or(Ok(()), |value| value.put::<C>(field, encoder))
    }
}

impl<'f, T: Get<'f>> Get<'f> for Option<T> {
    #[inline]
    fn get<C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<Self, DecodeError> {
        match decoder.is_present(field)? {
            true => T::get(field, decoder).map(Some),
            false => Ok(None),
        }
    }
}

impl<T: Put> Put for Box<T> {
    const EMPTY: bool = T::EMPTY;

    #[inline]
    fn put<'m, C: Codec>(
        &'m self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        T::put::<C>(self, field, encoder)
    }
}

impl<'f, T: Get<'f>> Get<'f> for Box<T> {
    const EMPTY: bool = T::EMPTY;

    #[inline]
    fn get<C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<Self, DecodeError> {
        T::get(field, decoder).map(Self::new)
    }
}

impl<T: Put, const N: usize> Put for [T; N] {
    const EMPTY: bool = N == 0 || T::EMPTY;

    #[inline]
    fn put<'m, C: Codec>(
        &'m self,
        field: &'static str,
        encoder: &mut Encoder<'m>,
    ) -> Result<(), EncodeError> {
        T::put_array::<C>(self, field, encoder)
    }
}

impl<'f, T: Get<'f>, const N: usize> Get<'f> for [T; N] {
    const EMPTY: bool = N == 0 || T::EMPTY;

    #[inline]
    fn get<C: Codec>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<Self, DecodeError> {
        T::get_array(field, decoder)
    }
}

macro_rules! tuples {
    ($(($($element:ident)+))*) => {$(
        #[allow(non_snake_case, reason = "types name their values")]
        impl<$($element: Put),+> Put for ($($element,)+) {
            const EMPTY: bool = true $(&& $element::EMPTY)+;

            #[inline]
            fn put<'m, C: Codec>(
                &'m self,
                field: &'static str,
                encoder: &mut Encoder<'m>,
            ) -> Result<(), EncodeError> {
                let ($($element,)+) = self;
                $($element.put::<C>(field, encoder)?;)+
                Ok(())
            }
        }

        impl<'f, $($element: Get<'f>),+> Get<'f> for ($($element,)+) {
            const EMPTY: bool = true $(&& $element::EMPTY)+;

            #[inline]
            fn get<C: Codec>(
                field: &'static str,
                decoder: &mut Decoder<'f, C>,
            ) -> Result<Self, DecodeError> {
                Ok(($($element::get(field, decoder)?,)+))
            }
        }
    )*};
}

tuples! { (A) (A B) (A B D) (A B D E) (A B D E F) (A B D E F G) (A B D E F G H) (A B D E F G H I) }
