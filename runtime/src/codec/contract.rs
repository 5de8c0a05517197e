//! The trait of codecs, and what the runtime expects of their bytes.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeSeed;

use crate::error::Fault;

/// A codec: turns values into bytes and back.
///
/// An implementation wraps a serde format. The format must concatenate: a tuple is its elements one after the
/// other, with nothing around them. It must also encode values as follows:
///
/// - a `u8` is that byte, and an `i8` is one byte in two's complement;
/// - a byte string is its length as a `u64`, then the bytes;
/// - text is the byte string of its UTF-8;
/// - an `Option` is the byte 0, or the byte 1 and the value;
/// - a sequence is the number of its elements as a `u64`, then the elements;
/// - a map is the number of its entries as a `u64`, then the key and the value of each;
/// - only the `u32` 0 begins with the byte 0.
///
/// The runtime relies on this: it writes and reads bytes, text and containers itself, without serde. A first
/// byte of 0 marks a datagram of the runtime, so no tag may begin with it.
///
/// ```
/// use datagrammar::codec::{Bincode, Codec};
///
/// let mut out = Vec::new();
/// Bincode::encode(&300u32, &mut out).unwrap();
/// assert_eq!(out, [251, 44, 1]);
/// ```
pub trait Codec {
    /// Appends `value` to `out`.
    ///
    /// # Errors
    ///
    /// The format's reason, if it cannot represent `value`. The caller then discards the bytes
    /// that were appended.
    fn encode<T>(value: &T, out: &mut Vec<u8>) -> Result<(), Box<str>>
    where
        T: Serialize + ?Sized;

    /// Appends a `u32`, with the same bytes as [`encode`](Self::encode). Every frame has at least one `u32`, its tag.
    /// Override this function if the format has a faster way.
    ///
    /// # Errors
    ///
    /// Those of [`encode`](Self::encode).
    #[inline]
    fn encode_u32(value: u32, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        Self::encode(&value, out)
    }

    /// Appends a `u64`, such as the length of a byte string, with the same bytes as [`encode`](Self::encode).
    /// Override this function if the format has a faster way.
    ///
    /// # Errors
    ///
    /// Those of [`encode`](Self::encode).
    #[inline]
    fn encode_u64(value: u64, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        Self::encode(&value, out)
    }

    /// Decodes one value from the start of `input`. Returns the value and the number of its bytes.
    ///
    /// # Errors
    ///
    /// A [`Fault`] if `input` does not begin with such a value.
    fn decode<'f, S>(seed: S, input: &'f [u8]) -> Result<(S::Value, usize), Fault>
    where
        S: DeserializeSeed<'f>;

    /// Decodes a `u32` like [`decode`](Self::decode). Returns it and the bytes after it. Every frame has at least one
    /// `u32`, its tag. Override this function if the format has a faster way.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode).
    #[inline]
    fn decode_u32(input: &[u8]) -> Result<(u32, &[u8]), Fault> {
        let (tag, taken) = Self::decode(PhantomData, input)?;
        Ok((tag, input.get(taken..).unwrap_or_default()))
    }

    /// Decodes a `u64`, such as the length of a byte string, like [`decode`](Self::decode). Returns it and the
    /// bytes after it. Override this function if the format has a faster way.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode).
    #[inline]
    fn decode_u64(input: &[u8]) -> Result<(u64, &[u8]), Fault> {
        let (len, taken) = Self::decode(PhantomData, input)?;
        Ok((len, input.get(taken..).unwrap_or_default()))
    }
}
