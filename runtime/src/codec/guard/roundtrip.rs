//! A check of builds with debug assertions: a value that is sent is received as the same variants, and
//! from the same bytes.
//!
//! serde counts all variants of an enum where it serialises, and where it deserialises those alone that
//! are not skipped. So `#[serde(skip)]` on one makes another of each that comes after it, in silence.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::meter::Meter;
use super::names::Mistaken;
use super::wrapper::Guard;
use crate::codec::Codec;
use crate::error::Fault;

/// Says what is wrong with `bytes`, to which a `T` was encoded under `meter`.
pub(super) fn check<C: Codec, T: DeserializeOwned>(
    meter: Meter,
    bytes: &[u8],
    nested: u32,
) -> Result<(), Box<str>> {
    let meter = Meter { names: meter.names, ..Meter::new(bytes.len(), 0) };
    let seed = Guard::outermost(PhantomData::<T>, &meter, nested);
    let decoded = C::decode(seed, bytes);
    let text = match (decoded, meter.names.mistaken.get()) {
        (_, Some(Mistaken { of, sent, received })) => {
            let received =
                received.map_or("no variant".into(), |received| format!("`{of}::{received}`"));
            format!(
                "`{of}::{sent}` would be received as {received}: an enum with `#[serde(skip)]` on a variant counts its variants in two ways"
            )
        }
        (Ok((_, taken)), None) if taken < bytes.len() => format!(
            "{taken} bytes would be read of the {} that were written: the type deserialises something else than it serialises",
            bytes.len()
        ),
        (Err(fault), None) => match meter.fault(fault) {
            fault @ Fault::SelfDescribing => fault.to_string(),
            Fault::Short { .. } => format!(
                "more bytes would be read than the {} that were written: the type serialises less than it deserialises",
                bytes.len()
            ),
            // A type may refuse what it likes.
            _ => return Ok(()),
        },
        (Ok(_), None) => return Ok(()),
    };
    Err(text.into())
}
