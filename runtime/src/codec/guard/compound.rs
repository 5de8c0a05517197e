//! The guard around serde's compound serializers: guards each element and field, counts elements of no bytes,
//! and refuses a struct that skips a field.

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};

use super::meter::Rule;
use super::serializer::Named;
use super::wrapper::Guard;

impl<S> Guard<'_, S> {
    /// Counts the last element if it took no bytes.
    #[inline]
    fn check_written<E: Error>(&self) -> Result<(), E> {
        match !self.meter.wrote.get() && !self.count() {
            true => Err(self.meter.trip_encoding(Rule::EmptyElements)),
            false => Ok(()),
        }
    }
}

impl<S: SerializeSeq> SerializeSeq for Guard<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.meter.wrote.set(false);
        let value = self.around(value);
        self.inner.serialize_element(&value)?;
        self.check_written()
    }

    #[inline]
    fn end(self) -> Result<S::Ok, S::Error> {
        // The length takes bytes, even if the elements take none.
        self.meter.wrote.set(true);
        self.inner.end()
    }
}

impl<S: SerializeMap> SerializeMap for Guard<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.meter.wrote.set(false);
        let key = self.around(key);
        self.inner.serialize_key(&key)?;
        self.check_written()
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        let value = self.around(value);
        self.inner.serialize_value(&value)
    }

    #[inline]
    fn end(self) -> Result<S::Ok, S::Error> {
        // The length takes bytes, even if the elements take none.
        self.meter.wrote.set(true);
        self.inner.end()
    }
}

/// Compounds whose type declares the number of elements.
macro_rules! declared {
    ($($compound:ident $method:ident)*) => {$(
        impl<S: $compound> $compound for Guard<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                let value = self.around(value);
                self.inner.$method(&value)
            }

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

declared! {
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

/// Compounds with named fields. None may be skipped: the receiver reads all of them.
macro_rules! named {
    ($($compound:ident)*) => {$(
        impl<S: $compound> $compound for Guard<'_, Named<S>> {
            type Ok = S::Ok;
            type Error = S::Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                let value = self.around(value);
                self.inner.fields.serialize_field(name, &value)
            }

            #[cold]
            fn skip_field(&mut self, field: &'static str) -> Result<(), S::Error> {
                let left_out = Rule::LeftOut { of: self.inner.of, field };
                Err(self.meter.trip_encoding(left_out))
            }

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.fields.end()
            }
        }
    )*};
}

named!(SerializeStruct SerializeStructVariant);
