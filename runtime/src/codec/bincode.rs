//! The default codec: bincode 2, standard configuration (little endian, variable-length integers).
//!
//! Bincode is no longer maintained, and 2.0.1 is its last release (RUSTSEC-2025-0141). Its format is frozen, and other
//! crates write the same bytes. So this file can switch to another crate without a change of the wire format.

use bincode::config::{self, Configuration};
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError, IntegerType};
use bincode::serde::{encode_into_writer, seed_decode_from_slice};
use bincode::{Decode, decode_from_slice};
use serde::Serialize;
use serde::de::DeserializeSeed;

use super::contract::Codec;
use crate::error::Fault;

const CONFIG: Configuration = config::standard();

/// Bincode 2 with its standard configuration: little endian, variable-length integers.
///
/// Writes the same bytes as `bincode::encode_to_vec(value, bincode::config::standard())`.
#[derive(Debug, Clone, Copy)]
pub enum Bincode {}

impl Codec for Bincode {
    #[inline]
    fn encode<T>(value: &T, out: &mut Vec<u8>) -> Result<(), Box<str>>
    where
        T: Serialize + ?Sized,
    {
        encode_into_writer(value, Append(out), CONFIG).map_err(reason)
    }

    #[inline]
    fn encode_u32(value: u32, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        // The bytes depend only on the value, not on its type.
        Self::encode_u64(value.into(), out)
    }

    #[inline]
    fn encode_u64(value: u64, out: &mut Vec<u8>) -> Result<(), Box<str>> {
        match (u8::try_from(value), u16::try_from(value)) {
            (Ok(byte @ ..=MAX_SINGLE_BYTE), _) => out.push(byte),
            (_, Ok(short)) => {
                let [low, high] = short.to_le_bytes();
                out.extend_from_slice(&[TWO_BYTES, low, high]);
            }
            _ => Self::encode(&value, out)?,
        }
        Ok(())
    }

    #[inline]
    fn decode<'f, S>(seed: S, input: &'f [u8]) -> Result<(S::Value, usize), Fault>
    where
        S: DeserializeSeed<'f>,
    {
        seed_decode_from_slice(seed, input, CONFIG).map_err(fault)
    }

    #[inline]
    fn decode_u32(input: &[u8]) -> Result<(u32, &[u8]), Fault> {
        integer(input)
    }

    #[inline]
    fn decode_u64(input: &[u8]) -> Result<(u64, &[u8]), Fault> {
        integer(input)
    }
}

/// The greatest integer that takes one byte. Greater first bytes announce more bytes.
const MAX_SINGLE_BYTE: u8 = 250;

/// The first byte of an integer that takes two more bytes.
const TWO_BYTES: u8 = 251;

#[inline]
fn integer<T: Decode<()> + From<u16>>(input: &[u8]) -> Result<(T, &[u8]), Fault> {
    match input {
        [byte @ ..=MAX_SINGLE_BYTE, rest @ ..] => Ok((T::from(u16::from(*byte)), rest)),
        [TWO_BYTES, low, high, rest @ ..] => Ok((T::from(u16::from_le_bytes([*low, *high])), rest)),
        _ => long_integer(input),
    }
}

/// Reads a longer integer. These are rare, so the function is not inlined.
#[inline(never)]
fn long_integer<T: Decode<()>>(input: &[u8]) -> Result<(T, &[u8]), Fault> {
    let (integer, taken) = decode_from_slice(input, CONFIG).map_err(fault)?;
    Ok((integer, input.get(taken..).unwrap_or_default()))
}

struct Append<'o>(&'o mut Vec<u8>);

impl Writer for Append<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

#[cold]
fn reason(error: EncodeError) -> Box<str> {
    match error {
        EncodeError::OtherString(text) => text.into(),
        EncodeError::Other(text) => text.into(),
        other => other.to_string().into(),
    }
}

#[cold]
fn fault(error: DecodeError) -> Fault {
    match error {
        DecodeError::UnexpectedEnd { additional } => Fault::Short { missing: additional },
        DecodeError::Utf8 { inner } => Fault::Utf8 { valid_up_to: inner.valid_up_to() },
        DecodeError::InvalidBooleanValue(byte) => {
            Fault::Invalid(format!("a boolean is 0 or 1, not {byte}").into())
        }
        DecodeError::UnexpectedVariant { type_name, found, .. } => {
            Fault::Invalid(format!("{type_name} has no variant {found}").into())
        }
        DecodeError::OtherString(text) => Fault::Invalid(text.into()),
        DecodeError::Other(text) => Fault::Invalid(text.into()),
        DecodeError::InvalidCharEncoding(bytes) => {
            Fault::Invalid(format!("a `char` is one character of UTF-8, not {bytes:02x?}").into())
        }
        DecodeError::InvalidIntegerType { found: IntegerType::Reserved, .. } => {
            Fault::Invalid("no integer begins with the byte 255".into())
        }
        DecodeError::InvalidIntegerType { found, expected } => {
            let [found, expected] = [found, expected].map(|ty| format!("{ty:?}").to_lowercase());
            Fault::Invalid(format!("an integer of the type {found}, not {expected}").into())
        }
        DecodeError::NonZeroTypeIsZero { .. } => {
            Fault::Invalid("a number that must not be 0 is 0".into())
        }
        other => Fault::Invalid(other.to_string().into()),
    }
}
