//! Decodes and encodes the value of a field under the rules of the guard.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};

use super::meter::Meter;
use super::wrapper::Guard;
use crate::codec::Codec;
use crate::error::Fault;

/// Decodes a `T` from the start of `input` under the rules. Returns it, and how many bytes it took. `nested` is
/// the number of messages around the value's own.
#[inline]
pub(crate) fn decode_guarded<'f, C, T>(
    input: &'f [u8],
    nested: u32,
    empty_elements: &mut u32,
) -> Result<(T, usize), Fault>
where
    C: Codec,
    T: Deserialize<'f>,
{
    let meter = Meter::new(input.len(), *empty_elements);
    let result = C::decode(Guard::outermost(PhantomData::<T>, &meter, nested), input);
    *empty_elements = meter.empty_elements.get();
    match result {
        Ok(decoded) => Ok(decoded),
        Err(fault) => Err(meter.fault(fault)),
    }
}

/// Appends `value` to `out` under the rules. The error says why no receiver would accept it.
#[inline]
pub(crate) fn encode_guarded<C, T>(
    value: &T,
    out: &mut Vec<u8>,
    nested: u32,
    empty_elements: &mut u32,
) -> Result<(), Box<str>>
where
    C: Codec,
    T: Serialize + ?Sized,
{
    let meter = Meter::new(0, *empty_elements);
    let result = C::encode(&Guard::outermost(value, &meter, nested), out);
    *empty_elements = meter.empty_elements.get();
    match result {
        Ok(()) => Ok(()),
        Err(reason) => Err(meter.refusal(reason)),
    }
}

/// Appends `value` like [`encode_guarded`]. In builds with debug assertions, also checks that the bytes decode to
/// the same variants.
#[inline]
pub(crate) fn encode_checked<C, T>(
    value: &T,
    out: &mut Vec<u8>,
    nested: u32,
    empty_elements: &mut u32,
) -> Result<(), Box<str>>
where
    C: Codec,
    T: Serialize + DeserializeOwned,
{
    #[cfg(debug_assertions)]
    {
        let mut meter = Meter::new(0, *empty_elements);
        meter.names.checks = true;
        let from = out.len();
        if let Err(reason) = C::encode(&Guard::outermost(value, &meter, nested), out) {
            return Err(meter.refusal(reason));
        }
        *empty_elements = meter.empty_elements.get();
        super::roundtrip::check::<C, T>(meter, out.get(from..).unwrap_or_default(), nested)
    }
    #[cfg(not(debug_assertions))]
    encode_guarded::<C, T>(value, out, nested, empty_elements)
}
