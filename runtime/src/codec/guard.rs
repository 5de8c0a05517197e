//! The rules against hostile bytes, around any serde format.
//!
//! One wrapper, [`Guard`], plays every role of serde's deserialising side: it wraps the format's
//! deserializer, and each visitor, seed and access that passes through it, so that no nested value
//! is ever decoded without it.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::{Codec, MAX_DEPTH, MAX_EMPTY_ELEMENTS};
use crate::error::Fault;

/// Decodes a `T` from the front of `input` under the rules, and says how many bytes it took.
#[inline]
pub(crate) fn decode_guarded<'f, C, T>(
    input: &'f [u8],
    empty_elements: &mut u32,
) -> Result<(T, usize), Fault>
where
    C: Codec,
    T: Deserialize<'f>,
{
    let meter = Meter {
        remaining: Cell::new(input.len()),
        empty_elements: Cell::new(*empty_elements),
        tripped: Cell::new(None),
    };
    let seed = Guard { inner: PhantomData::<T>, meter: &meter, depth: MAX_DEPTH, counted: false };
    let result = C::decode(seed, input);
    *empty_elements = meter.empty_elements.get();
    match result {
        Ok(decoded) => Ok(decoded),
        Err(fault) => Err(meter.explain(fault)),
    }
}

/// What the guards of one field share.
struct Meter {
    /// Bytes that the input may still hold: its length, less one for each value met so far that
    /// takes at least one byte. Never less than what is really left.
    remaining: Cell<usize>,
    /// Elements of no bytes met so far in the frame.
    empty_elements: Cell<u32>,
    /// The rule that was broken. The format's error type need not be able to say.
    tripped: Cell<Option<Rule>>,
}

#[derive(Clone, Copy)]
enum Rule {
    Depth,
    EmptyElements,
}

impl Meter {
    #[inline]
    fn spend(&self) {
        self.remaining.set(self.remaining.get().saturating_sub(1));
    }

    #[cold]
    fn trip<E: Error>(&self, rule: Rule) -> E {
        self.tripped.set(Some(rule));
        E::custom("a decoding limit was reached")
    }

    #[cold]
    fn explain(&self, fault: Fault) -> Fault {
        match self.tripped.get() {
            Some(Rule::Depth) => Fault::TooDeep { limit: MAX_DEPTH },
            Some(Rule::EmptyElements) => Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS },
            None => fault,
        }
    }
}

/// A deserializer, visitor, seed or access, watched.
struct Guard<'g, T> {
    inner: T,
    meter: &'g Meter,
    /// Levels that may still be entered.
    depth: u32,
    /// Whether the elements are as many as a length prefix claimed, rather than as a type declares.
    counted: bool,
}

impl<'g, T> Guard<'g, T> {
    #[inline]
    fn around<U>(&self, inner: U) -> Guard<'g, U> {
        Guard { inner, meter: self.meter, depth: self.depth, counted: false }
    }

    /// A guard for what is one level further down.
    #[inline]
    fn enter<U, E: Error>(&self, inner: U, counted: bool) -> Result<Guard<'g, U>, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Guard { inner, meter: self.meter, depth, counted }),
            None => Err(self.meter.trip(Rule::Depth)),
        }
    }

    /// Counts the element that was decoded since `before` bytes remained, if it took none.
    #[inline]
    fn count<E: Error>(&self, before: usize) -> Result<(), E> {
        if self.counted && self.meter.remaining.get() == before {
            let empty = self.meter.empty_elements.get();
            if empty >= MAX_EMPTY_ELEMENTS {
                return Err(self.meter.trip(Rule::EmptyElements));
            }
            self.meter.empty_elements.set(empty + 1);
        }
        Ok(())
    }

    /// A format's claim of a length, cut to what the input can hold.
    #[inline]
    fn hint(&self, claimed: Option<usize>) -> Option<usize> {
        claimed.map(|len| len.min(self.meter.remaining.get()))
    }
}

/// Values of at least one byte that hold no others: the visitor needs no watching.
macro_rules! scalars {
    ($($method:ident => $inner:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.meter.spend();
            self.inner.$inner(visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Guard<'_, D> {
    type Error = D::Error;

    scalars! {
        deserialize_bool => deserialize_bool
        deserialize_i8 => deserialize_i8
        deserialize_i16 => deserialize_i16
        deserialize_i32 => deserialize_i32
        deserialize_i64 => deserialize_i64
        deserialize_i128 => deserialize_i128
        deserialize_u8 => deserialize_u8
        deserialize_u16 => deserialize_u16
        deserialize_u32 => deserialize_u32
        deserialize_u64 => deserialize_u64
        deserialize_u128 => deserialize_u128
        deserialize_f32 => deserialize_f32
        deserialize_f64 => deserialize_f64
        deserialize_char => deserialize_char
        deserialize_str => deserialize_str
        deserialize_bytes => deserialize_bytes
        // Owned text and bytes are decoded as borrowed ones, which are checked against the input
        // before anything is allocated: bincode allocates what a length prefix claims.
        deserialize_string => deserialize_str
        deserialize_byte_buf => deserialize_bytes
        deserialize_identifier => deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.meter.spend();
        let visitor = self.enter(visitor, true)?;
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.enter(visitor, true)?;
        self.inner.deserialize_ignored_any(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.meter.spend();
        let visitor = self.enter(visitor, false)?;
        self.inner.deserialize_option(visitor)
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.enter(visitor, false)?;
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.meter.spend();
        let visitor = self.enter(visitor, true)?;
        self.inner.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.enter(visitor, false)?;
        self.inner.deserialize_tuple(len, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.enter(visitor, false)?;
        self.inner.deserialize_tuple_struct(name, len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.meter.spend();
        let visitor = self.enter(visitor, true)?;
        self.inner.deserialize_map(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.enter(visitor, false)?;
        self.inner.deserialize_struct(name, fields, visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.meter.spend();
        let visitor = self.enter(visitor, false)?;
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// What a visitor is handed that holds no other values.
macro_rules! leaves {
    ($($method:ident($value:ty))*) => {$(
        #[inline]
        fn $method<E: Error>(self, value: $value) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Guard<'_, V> {
    type Value = V::Value;

    leaves! {
        visit_bool(bool) visit_char(char)
        visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128)
        visit_f32(f32) visit_f64(f64)
        visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, some: D) -> Result<V::Value, D::Error> {
        let some = self.around(some);
        self.inner.visit_some(some)
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let inner = self.around(inner);
        self.inner.visit_newtype_struct(inner)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        let seq = Guard { counted: self.counted, ..self.around(seq) };
        self.inner.visit_seq(seq)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let map = Guard { counted: self.counted, ..self.around(map) };
        self.inner.visit_map(map)
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.around(access);
        self.inner.visit_enum(access)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Guard<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.around(deserializer);
        self.inner.deserialize(deserializer)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Guard<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let before = self.meter.remaining.get();
        let seed = self.around(seed);
        let element = self.inner.next_element_seed(seed)?;
        if element.is_some() {
            self.count(before)?;
        }
        Ok(element)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.hint(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Guard<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let before = self.meter.remaining.get();
        let seed = self.around(seed);
        let key = self.inner.next_key_seed(seed)?;
        // An entry is empty if its key is: the value's bytes would only make the count generous.
        if key.is_some() {
            self.count(before)?;
        }
        Ok(key)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.around(seed);
        self.inner.next_value_seed(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.hint(self.inner.size_hint())
    }
}

impl<'g, 'de, A: EnumAccess<'de>> EnumAccess<'de> for Guard<'g, A> {
    type Error = A::Error;
    type Variant = Guard<'g, A::Variant>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let Self { inner, meter, depth, counted } = self;
        let seed = Guard { inner: seed, meter, depth, counted: false };
        let (value, variant) = inner.variant_seed(seed)?;
        Ok((value, Guard { inner: variant, meter, depth, counted }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Guard<'_, A> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.around(seed);
        self.inner.newtype_variant_seed(seed)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.around(visitor);
        self.inner.tuple_variant(len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.around(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}
