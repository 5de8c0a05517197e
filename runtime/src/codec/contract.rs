//! What a codec supplies, and what the runtime expects of its bytes.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeSeed;

use crate::error::Fault;

/// How values become bytes and back.
///
/// An implementation binds a serde format. The format must be one that concatenates (a tuple is its
/// elements one after the other, with nothing around them), and in which
///
/// - a `u8` is that byte, and an `i8` the same in two's complement;
/// - a byte string is its length as a `u64`, then the bytes;
/// - text is its UTF-8 bytes as a byte string;
/// - an `Option` is the byte 0, or the byte 1 and the value;
/// - a sequence is the number of its elements as a `u64`, then the elements, and so is a map with its keys and
///   values;
/// - a `u32` begins with the byte 0 only if it is 0;
///
/// because what is made of bytes, text and numbers alone bypasses serde (bytes and text are written from, and lent
/// to, the message directly), and because datagrams with tag 0 are the runtime's.
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
    /// The refusal, in the format's own words, when `value` cannot be represented. What was
    /// appended by then is discarded by the caller.
    fn encode<T>(value: &T, out: &mut Vec<u8>) -> Result<(), Box<str>>
    where
        T: Serialize + ?Sized;

    /// Appends the very bytes that [`encode`](Self::encode) does for a `u32`. Every frame has one, its tag:
    /// override it where that can be done faster.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    #[inline]
    fn encode_u32(value: u32, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        Self::encode(&value, out)
    }

    /// Appends the very bytes that [`encode`](Self::encode) does for a `u64`, such as the length of a byte string.
    /// Override it where that can be done faster.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    #[inline]
    fn encode_u64(value: u64, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        Self::encode(&value, out)
    }

    /// Decodes one value from the front of `input`, and says how many bytes it took.
    ///
    /// # Errors
    ///
    /// A [`Fault`] for bytes that are not such a value.
    fn decode<'f, S>(seed: S, input: &'f [u8]) -> Result<(S::Value, usize), Fault>
    where
        S: DeserializeSeed<'f>;

    /// Decodes as [`decode`](Self::decode) does a `u32`, and returns what follows it. Every frame has one, its
    /// tag: override it where that can be done faster.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    #[inline]
    fn decode_u32(input: &[u8]) -> Result<(u32, &[u8]), Fault> {
        let (tag, taken) = Self::decode(PhantomData, input)?;
        Ok((tag, input.get(taken..).unwrap_or_default()))
    }

    /// Decodes as [`decode`](Self::decode) does a `u64`, such as the length of a byte string, and returns what
    /// follows it. Override it where that can be done faster.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    #[inline]
    fn decode_u64(input: &[u8]) -> Result<(u64, &[u8]), Fault> {
        let (len, taken) = Self::decode(PhantomData, input)?;
        Ok((len, input.get(taken..).unwrap_or_default()))
    }
}
