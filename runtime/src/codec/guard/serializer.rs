//! The guard around the serializer of a format: counts the bytes and the levels of each value.

use std::fmt::Display;

use serde::ser::{Error, Serialize, Serializer};

use super::meter::{Meter, Rule};
use super::wrapper::Guard;

/// Returns the guard of the next level, or the error if that is too deep.
#[inline]
fn entered<T, E: Error>(meter: &Meter, entered: Option<T>) -> Result<T, E> {
    match entered {
        Some(entered) => Ok(entered),
        None => Err(meter.trip_encoding(Rule::Depth)),
    }
}

/// Values of at least one byte that hold no other values.
macro_rules! scalars {
    ($($method:ident($value:ty))*) => {$(
        #[inline]
        fn $method(self, value: $value) -> Result<S::Ok, S::Error> {
            self.meter.wrote.set(true);
            self.inner.$method(value)
        }
    )*};
}

impl<T: Serialize + ?Sized> Serialize for Guard<'_, &T> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.inner.serialize(self.around(serializer))
    }
}

impl<'g, S: Serializer> Serializer for Guard<'g, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Guard<'g, S::SerializeSeq>;
    type SerializeTuple = Guard<'g, S::SerializeTuple>;
    type SerializeTupleStruct = Guard<'g, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Guard<'g, S::SerializeTupleVariant>;
    type SerializeMap = Guard<'g, S::SerializeMap>;
    type SerializeStruct = Guard<'g, Named<S::SerializeStruct>>;
    type SerializeStructVariant = Guard<'g, Named<S::SerializeStructVariant>>;

    scalars! {
        serialize_bool(bool) serialize_char(char)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        serialize_f32(f32) serialize_f64(f64)
        serialize_str(&str) serialize_bytes(&[u8])
    }

    #[inline]
    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.meter.wrote.set(true);
        entered(self.meter, self.wrapper(()))?;
        self.inner.serialize_none()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.meter.wrote.set(true);
        let value = entered(self.meter, self.wrapper(value))?;
        self.inner.serialize_some(&value)
    }

    #[inline]
    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    #[inline]
    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_struct(name)
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.meter.wrote.set(true);
        entered(self.meter, self.wrapper(()))?;
        self.meter.sends(name, variant);
        self.inner.serialize_unit_variant(name, index, variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = entered(self.meter, self.wrapper(value))?;
        self.inner.serialize_newtype_struct(name, &value)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.meter.wrote.set(true);
        let value = entered(self.meter, self.wrapper(value))?;
        self.meter.sends(name, variant);
        self.inner.serialize_newtype_variant(name, index, variant, &value)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.meter.wrote.set(true);
        self.has_length(len)?;
        let around = entered(self.meter, self.level((), true))?;
        Ok(around.put(self.inner.serialize_seq(len)?))
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let around = entered(self.meter, self.level((), false))?;
        Ok(around.put(self.inner.serialize_tuple(len)?))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let around = entered(self.meter, self.level((), false))?;
        Ok(around.put(self.inner.serialize_tuple_struct(name, len)?))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.meter.sends(name, variant);
        let around = self.variant()?;
        Ok(around.put(self.inner.serialize_tuple_variant(name, index, variant, len)?))
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.meter.wrote.set(true);
        self.has_length(len)?;
        let around = entered(self.meter, self.level((), true))?;
        Ok(around.put(self.inner.serialize_map(len)?))
    }

    #[inline]
    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let around = entered(self.meter, self.level((), false))?;
        Ok(around.put(Named { of: name, fields: self.inner.serialize_struct(name, len)? }))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.meter.sends(name, variant);
        let around = self.variant()?;
        let fields = self.inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(around.put(Named { of: variant, fields }))
    }

    #[inline]
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.meter.wrote.set(true);
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// The fields of a struct or a variant, and its name.
pub(super) struct Named<F> {
    pub(super) of: &'static str,
    pub(super) fields: F,
}

impl<'g, S: Serializer> Guard<'g, S> {
    /// Returns a guard for the fields of a variant with several, which are one level below the enum.
    #[inline]
    fn variant(&self) -> Result<Guard<'g, ()>, S::Error> {
        self.meter.wrote.set(true);
        entered(self.meter, self.wrapper(()).and_then(|wrapper| wrapper.level((), false)))
    }

    #[inline]
    fn has_length(&self, len: Option<usize>) -> Result<(), S::Error> {
        match len {
            Some(_) => Ok(()),
            None => Err(self.meter.trip_encoding(Rule::UnknownLength)),
        }
    }
}
