//! Visitors for owned text and bytes: they get borrowed values from the format, and pass owned values on, because
//! the inner visitor may accept nothing else.

use std::fmt;

use serde::de::{Error, Visitor};

/// A visitor around one that expects a `String` or a byte buffer.
pub(super) struct Owned<V>(pub(super) V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Owned<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(formatter)
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.0.visit_string(text.to_owned())
    }

    #[inline]
    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<V::Value, E> {
        self.0.visit_byte_buf(bytes.to_vec())
    }
}
