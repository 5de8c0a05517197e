//! The types that need no serde.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::traits::{Get, Put};
use crate::codec::Codec;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Decoder, Encoder};

/// Defines `Put::put`, or the function of [`Put`] that is named first, which is given a slice. The codec is `C`.
macro_rules! put {
    (|$value:ident, $field:pat_param, $encoder:ident| $body:expr) => {
        #[inline]
        fn put<'m, C: Codec>(
            &'m self,
            $field: &'static str,
            $encoder: &mut Encoder<'m>,
        ) -> Result<(), EncodeError> {
            let $value = self;
            $body
        }
    };
    ($put:ident: |$values:ident, $field:pat_param, $encoder:ident| $body:expr) => {
        #[inline]
        fn $put<'m, C: Codec>(
            $values: &'m [Self],
            $field: &'static str,
            $encoder: &mut Encoder<'m>,
        ) -> Result<(), EncodeError> {
            $body
        }
    };
}

/// Defines `Get::get`, or the function of [`Get`] that is named first, which returns a `Vec`. The lifetime of the
/// frame is `'f`.
macro_rules! get {
    (|$field:ident, $decoder:ident| $body:expr) => {
        #[inline]
        fn get<C: Codec>(
            $field: &'static str,
            $decoder: &mut Decoder<'f, C>,
        ) -> Result<Self, DecodeError> {
            $body
        }
    };
    ($get:ident: |$field:ident, $decoder:ident| $body:expr) => {
        #[inline]
        fn $get<C: Codec>(
            $field: &'static str,
            $decoder: &mut Decoder<'f, C>,
        ) -> Result<Vec<Self>, DecodeError> {
            $body
        }
    };
}

/// Types that the codec writes and reads.
macro_rules! scalars {
    ($($scalar:ty)*) => {$(
        impl Put for $scalar {
            put!(|value, field, encoder| encoder.scalar::<C, Self>(field, value));
        }

        impl<'f> Get<'f> for $scalar {
            get!(|field, decoder| decoder.scalar(field));
        }
    )*};
}

scalars!(u16 u128 usize i16 i32 i64 i128 isize f32 f64 bool char);

/// Numbers for which codecs have their own functions.
macro_rules! numbers {
    ($($number:ident)*) => {$(
        impl Put for $number {
            put!(|value, field, encoder| encoder.$number::<C>(field, value));
        }

        impl<'f> Get<'f> for $number {
            get!(|field, decoder| decoder.$number(field));
        }
    )*};
}

numbers!(u32 u64);

impl Put for u8 {
    put!(|value, _, encoder| {
        encoder.copy(&[*value]);
        Ok(())
    });
    put!(put_all: |values, field, encoder| encoder.bytes::<C>(field, values));
    put!(put_array: |values, _, encoder| {
        encoder.copy(values);
        Ok(())
    });
}

impl<'f> Get<'f> for u8 {
    get!(|field, decoder| decoder.array(field).map(|[byte]| byte));
    get!(get_all: |field, decoder| decoder.bytes(field));

    #[inline]
    fn get_array<C: Codec, const N: usize>(
        field: &'static str,
        decoder: &mut Decoder<'f, C>,
    ) -> Result<[Self; N], DecodeError> {
        decoder.array(field)
    }
}

impl Put for i8 {
    put!(|value, _, encoder| {
        encoder.copy(&value.to_le_bytes());
        Ok(())
    });
    put!(put_all: |values, field, encoder| {
        encoder.u64::<C>(field, &(values.len() as u64))?;
        encoder.copy_all(values.iter().map(|value| value.cast_unsigned()));
        Ok(())
    });
}

impl<'f> Get<'f> for i8 {
    get!(|field, decoder| decoder.array(field).map(Self::from_le_bytes));
    get!(get_all: |field, decoder| {
        let bytes: &[u8] = decoder.bytes(field)?;
        Ok(bytes.iter().map(|byte| byte.cast_signed()).collect())
    });
}

/// Owned and shared text.
macro_rules! texts {
    ($($text:ty)*) => {$(
        impl Put for $text {
            put!(|value, field, encoder| encoder.text::<C>(field, value));
        }

        impl<'f> Get<'f> for $text {
            get!(|field, decoder| decoder.text::<&str>(field).map(Self::from));
        }
    )*};
}

texts!(String Box<str> Arc<str> Rc<str>);

/// Bytes and text that the frame lends.
macro_rules! lent {
    ($($content:ty: $method:ident;)*) => {$(
        impl Put for &$content {
            put!(|value, field, encoder| encoder.$method::<C>(field, value));
        }

        impl<'f: 'a, 'a> Get<'f> for &'a $content {
            get!(|field, decoder| decoder.$method::<&'f $content>(field));
        }

        // Owned, as through serde: the lifetime may be longer than that of the frame.
        impl Put for Cow<'_, $content> {
            put!(|value, field, encoder| encoder.$method::<C>(field, value));
        }

        impl<'f> Get<'f> for Cow<'_, $content> {
            get!(|field, decoder| {
                let content: &$content = decoder.$method(field)?;
                Ok(Self::Owned(content.into()))
            });
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
            put!(|values, field, encoder| T::put_all::<C>(values, field, encoder));
        }

        impl<'f, T: Get<'f>> Get<'f> for $sequence<$element> {
            get!(|field, decoder| T::get_all(field, decoder).map(Self::from));
        }
    )*};
}

sequences!(Vec<T> Box<[T]> Arc<[T]> Rc<[T]>);

impl<T: Put> Put for Option<T> {
    put!(|option, field, encoder| {
        encoder.presence(option.is_some());
        option.as_ref().map_or(Ok(()), |value| value.put::<C>(field, encoder))
    });
}

impl<'f, T: Get<'f>> Get<'f> for Option<T> {
    get!(|field, decoder| match decoder.is_present(field)? {
        true => T::get(field, decoder).map(Some),
        false => Ok(None),
    });
}

impl<T: Put> Put for Box<T> {
    const EMPTY: bool = T::EMPTY;

    put!(|value, field, encoder| T::put::<C>(value, field, encoder));
}

impl<'f, T: Get<'f>> Get<'f> for Box<T> {
    const EMPTY: bool = T::EMPTY;

    get!(|field, decoder| T::get(field, decoder).map(Self::new));
}

impl<T: Put, const N: usize> Put for [T; N] {
    const EMPTY: bool = N == 0 || T::EMPTY;

    put!(|values, field, encoder| T::put_array::<C>(values, field, encoder));
}

impl<'f, T: Get<'f>, const N: usize> Get<'f> for [T; N] {
    const EMPTY: bool = N == 0 || T::EMPTY;

    get!(|field, decoder| T::get_array(field, decoder));
}

macro_rules! tuples {
    ($(($($element:ident)+))*) => {$(
        #[allow(non_snake_case, reason = "types name their values")]
        impl<$($element: Put),+> Put for ($($element,)+) {
            const EMPTY: bool = true $(&& $element::EMPTY)+;

            put!(|values, field, encoder| {
                let ($($element,)+) = values;
                $($element.put::<C>(field, encoder)?;)+
                Ok(())
            });
        }

        impl<'f, $($element: Get<'f>),+> Get<'f> for ($($element,)+) {
            const EMPTY: bool = true $(&& $element::EMPTY)+;

            get!(|field, decoder| Ok(($($element::get(field, decoder)?,)+)));
        }
    )*};
}

tuples! { (A) (A B) (A B D) (A B D E) (A B D E F) (A B D E F G) (A B D E F G H) (A B D E F G H I) }
