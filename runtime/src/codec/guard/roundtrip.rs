//! A check in builds with debug assertions: the bytes of a sent value decode to the same variants, and all bytes
//! are read.
//!
//! On serialising, serde counts all variants of an enum. On deserialising, it counts only those that are not
//! skipped. So after a variant with `#[serde(skip)]`, each variant silently decodes as another one.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::meter::Meter;
use super::names::Mistaken;
use super::wrapper::Guard;
use crate::codec::Codec;
use crate::error::{Fault, count};

/// Returns what is wrong with `bytes`, the encoding of a `T` under `meter`.
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
                "`{of}::{sent}` would be received as {received}: remove `#[serde(skip)]` from the variants before it"
            )
        }
        (Ok((_, taken)), None) if taken < bytes.len() => format!(
            "only {} would be read of the {} {} written: make the type deserialise exactly what it serialises",
            count::bytes(taken),
            bytes.len(),
            count::with(bytes.len(), "that was", "that were"),
        ),
        (Err(fault), None) => match meter.fault(fault) {
            fault @ Fault::SelfDescribing => fault.to_string(),
            Fault::Short { .. } => format!(
                "more bytes would be read than the {} {} written: make the type serialise all that it deserialises (remove `skip_serializing`)",
                bytes.len(),
                count::with(bytes.len(), "that was", "that were"),
            ),
            // The type itself refuses the value, which is no mistake of the encoding.
            _ => return Ok(()),
        },
        (Ok(_), None) => return Ok(()),
    };
    Err(text.into())
}
