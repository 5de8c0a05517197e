//! The rules against hostile bytes, around any serde format.
//!
//! One wrapper, [`Guard`], plays every role of serde's deserialising side: it wraps the format's
//! deserializer, and each visitor, seed and access that passes through it, so that no nested value
//! is ever decoded without it.

mod access;
mod deserializer;
mod owned;
mod visitor;

use std::cell::Cell;
use std::marker::PhantomData;

use serde::de::{Deserialize, Error};

use super::{Codec, MAX_DEPTH, MAX_EMPTY_ELEMENTS};
use crate::error::Fault;

/// Decodes a `T` from the front of `input` under the rules, and says how many bytes it took.
#[inline]
pub(crate) fn decode_guarded<'f, C, T>(
    input: &'f [u8],
    empty_elements: &mut u32,
) -> Result<(T, usize), Fault>
where
    C: Codec,
    T: Deserialize<'f>,
{
    let meter = Meter {
        remaining: Cell::new(input.len()),
        reservable: Cell::new(input.len() / BYTES_PER_RESERVED),
        empty_elements: Cell::new(*empty_elements),
        tripped: Cell::new(None),
    };
    let seed = Guard { inner: PhantomData::<T>, meter: &meter, depth: MAX_DEPTH, counted: false };
    let result = C::decode(seed, input);
    *empty_elements = meter.empty_elements.get();
    match result {
        Ok(decoded) => Ok(decoded),
        Err(fault) => Err(meter.explain(fault)),
    }
}

/// How many bytes of input it takes to reserve room for one element ahead of its decoding.
///
/// In memory an element is often larger than in the frame, by how much only its type knows. A sequence
/// that claims more elements is not told of its length and grows as they arrive, which costs a long
/// one of tiny elements some reallocations. What a false claim reserves is bounded: for elements of 64
/// bytes in memory, by eight times the input.
const BYTES_PER_RESERVED: usize = 8;

/// What the guards of one field share.
struct Meter {
    /// Bytes that the input may still hold: its length, less one for each value met so far that
    /// takes at least one byte. Never less than what is really left.
    remaining: Cell<usize>,
    /// Elements that may still be reserved room for, by all sequences together: in a frame that
    /// tells the truth they are no more than its bytes, however deep sequences are nested.
    reservable: Cell<usize>,
    /// Elements of no bytes met so far in the frame.
    empty_elements: Cell<u32>,
    /// The rule that was broken. The format's error type need not be able to say.
    tripped: Cell<Option<Rule>>,
}

#[derive(Clone, Copy)]
enum Rule {
    Depth,
    EmptyElements,
}

impl Meter {
    #[inline]
    fn spend(&self) {
        self.remaining.set(self.remaining.get().saturating_sub(1));
    }

    #[cold]
    fn trip<E: Error>(&self, rule: Rule) -> E {
        self.tripped.set(Some(rule));
        E::custom("a decoding limit was reached")
    }

    #[cold]
    fn explain(&self, fault: Fault) -> Fault {
        match self.tripped.get() {
            Some(Rule::Depth) => Fault::TooDeep { limit: MAX_DEPTH },
            Some(Rule::EmptyElements) => Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS },
            None => fault,
        }
    }
}

/// A deserializer, visitor, seed or access, watched.
struct Guard<'g, T> {
    inner: T,
    meter: &'g Meter,
    /// Levels that may still be entered.
    depth: u32,
    /// Whether the elements are as many as a length prefix claimed, rather than as a type declares.
    counted: bool,
}

impl<'g, T> Guard<'g, T> {
    #[inline]
    fn around<U>(&self, inner: U) -> Guard<'g, U> {
        Guard { inner, meter: self.meter, depth: self.depth, counted: false }
    }

    /// A guard for what is one level further down.
    #[inline]
    fn enter<U, E: Error>(&self, inner: U, counted: bool) -> Result<Guard<'g, U>, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Guard { inner, meter: self.meter, depth, counted }),
            None => Err(self.meter.trip(Rule::Depth)),
        }
    }

    /// Counts the element that was decoded since `before` bytes remained, if it took none.
    #[inline]
    fn count<E: Error>(&self, before: usize) -> Result<(), E> {
        if self.counted && self.meter.remaining.get() == before {
            let empty = self.meter.empty_elements.get();
            if empty >= MAX_EMPTY_ELEMENTS {
                return Err(self.meter.trip(Rule::EmptyElements));
            }
            self.meter.empty_elements.set(empty + 1);
        }
        Ok(())
    }

    /// The number of elements, to reserve room for: what the type declares, or what the input claims if
    /// that is credible.
    #[inline]
    fn hint(&self, claimed: Option<usize>) -> Option<usize> {
        if !self.counted {
            return claimed;
        }
        let left = self.meter.reservable.get().checked_sub(claimed?)?;
        self.meter.reservable.set(left);
        claimed
    }
}
