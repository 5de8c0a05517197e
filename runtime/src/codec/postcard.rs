//! The second codec: postcard 1, which has a stable specification.

use postcard::ser_flavors::Flavor;
use postcard::{Deserializer, Error, serialize_with_flavor};
use serde::Serialize;
use serde::de::DeserializeSeed;

use super::contract::Codec;
use crate::error::Fault;

/// Postcard 1: LEB128 integers, signed ones after zigzag.
///
/// Writes the same bytes as `postcard::to_allocvec(value)`.
#[derive(Debug, Clone, Copy)]
pub enum Postcard {}

impl Codec for Postcard {
    #[inline]
    fn encode<T>(value: &T, out: &mut Vec<u8>) -> Result<(), Box<str>>
    where
        T: Serialize + ?Sized,
    {
        serialize_with_flavor(value, Append(out)).map_err(|error| error.to_string().into())
    }

    #[inline]
    fn decode<'f, S>(seed: S, input: &'f [u8]) -> Result<(S::Value, usize), Fault>
    where
        S: DeserializeSeed<'f>,
    {
        let mut deserializer = Deserializer::from_bytes(input);
        let value = seed.deserialize(&mut deserializer).map_err(fault)?;
        let rest = deserializer.finalize().map_err(fault)?;
        Ok((value, input.len() - rest.len()))
    }
}

struct Append<'o>(&'o mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cold]
fn fault(error: Error) -> Fault {
    match error {
        // Postcard does not say how much is missing. It is at least one byte.
        Error::DeserializeUnexpectedEnd => Fault::Short { missing: 1 },
        other => Fault::Invalid(other.to_string().into()),
    }
}
