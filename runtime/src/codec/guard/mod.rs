//! The rules for values, around any serde format: what is decoded, and what is encoded.
//!
//! One wrapper, [`Guard`](wrapper::Guard), plays every role of serde. On the deserialising side it
//! wraps the format's deserializer, and each visitor, seed and access that passes through it. On the
//! serialising side it wraps the format's serializer, and each value and compound. So no nested value
//! is ever decoded or encoded without it, and both sides count alike: what is sent can be received.

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
