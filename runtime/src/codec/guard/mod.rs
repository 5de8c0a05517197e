//! The guard: applies the rules for values to any serde format, on decoding and on encoding.
//!
//! One wrapper, [`Guard`](wrapper::Guard), implements all of serde's traits. On decoding, it wraps the
//! deserializer of the format, and each visitor, seed and access that passes through it. On encoding, it wraps
//! the serializer, and each value and compound. So no nested value escapes the guard. Both sides count in the
//! same way, so a receiver accepts what a sender sends.

mod access;
mod compound;
mod deserializer;
mod field;
mod meter;
#[cfg(debug_assertions)]
mod names;
mod owned;
#[cfg(debug_assertions)]
mod roundtrip;
mod serializer;
mod visitor;
mod wrapper;

pub(crate) use self::field::{decode_guarded, encode_checked, encode_guarded};
