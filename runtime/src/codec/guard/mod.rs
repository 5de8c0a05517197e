//! The rules for values, around any serde format: what is decoded, and what is encoded.
//!
//! One wrapper, [`Guard`], plays every role of serde. On the deserialising side it wraps the format's
//! deserializer, and each visitor, seed and access that passes through it. On the serialising side it
//! wraps the format's serializer, and each value and compound. So no nested value is ever decoded or
//! encoded without it, and both sides count alike: what is sent can be received.

mod access;
mod compound;
mod deserializer;
#[cfg(debug_assertions)]
mod names;
mod owned;
mod serializer;
mod visitor;

use std::cell::Cell;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};

use super::{Codec, MAX_DEPTH, MAX_EMPTY_ELEMENTS};
use crate::error::Fault;

/// Decodes a `T` from the front of `input` under the rules, and says how many bytes it took. `nested`
/// is how many messages the value is nested in.
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

/// Appends `value` to `out` under the rules, or says why no receiver would take it.
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

/// How many bytes of input it takes to reserve room for one element ahead of its decoding.
///
/// In memory an element is often larger than in the frame, by how much only its type knows. A sequence
/// that claims more elements is not told of its length and grows as they arrive, which costs a long
/// one of tiny elements some reallocations. What a false claim reserves is bounded: for elements of 64
/// bytes in memory, by eight times the input.
const BYTES_PER_RESERVED: usize = 8;

/// As [`encode_guarded`], for a type of which it can be checked whether it is received as it is sent. In builds
/// with debug assertions, it is.
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
        names::check::<C, T>(meter, out.get(from..).unwrap_or_default(), nested)
    }
    #[cfg(not(debug_assertions))]
    encode_guarded::<C, T>(value, out, nested, empty_elements)
}

/// How many options, newtypes and enums in a row are part of what they hold, and no level.
///
/// People count lists in lists, and structs in structs. But a type can recurse through these alone, so
/// that further ones count.
const FREE_WRAPPERS: u8 = 2;

/// What the guards of one field share.
struct Meter {
    /// Bytes that the input may still hold: its length, less one for each value met so far that
    /// takes at least one byte. Never less than what is really left.
    remaining: Cell<usize>,
    /// Where values are encoded: whether one of at least one byte was, since this was last reset.
    wrote: Cell<bool>,
    /// Elements that may still be reserved room for, by all sequences together: in a frame that
    /// tells the truth they are no more than its bytes, however deep sequences are nested.
    reservable: Cell<usize>,
    /// Elements of no bytes met so far in the frame.
    empty_elements: Cell<u32>,
    /// The rule that was broken. The format's error type need not be able to say.
    tripped: Cell<Option<Rule>>,
    #[cfg(debug_assertions)]
    names: names::Names,
}

#[derive(Clone, Copy)]
enum Rule {
    Depth,
    EmptyElements,
    /// A type asked the bytes what they are.
    SelfDescribing,
    /// A sequence or a map did not say how many elements it has.
    UnknownLength,
    /// A struct left out a field.
    LeftOut {
        of: &'static str,
        field: &'static str,
    },
}

impl Meter {
    #[inline]
    fn new(remaining: usize, empty_elements: u32) -> Self {
        Self {
            remaining: Cell::new(remaining),
            wrote: Cell::new(true),
            reservable: Cell::new(remaining / BYTES_PER_RESERVED),
            empty_elements: Cell::new(empty_elements),
            tripped: Cell::new(None),
            #[cfg(debug_assertions)]
            names: names::Names::default(),
        }
    }

    /// Notes the variant that is serialised.
    #[inline]
    fn sends(&self, of: &'static str, variant: &'static str) {
        #[cfg(debug_assertions)]
        self.names.sent(of, variant);
        _ = (of, variant);
    }

    /// Notes the variants of the enum that is deserialised.
    #[inline]
    fn receives(&self, variants: &'static [&'static str]) {
        #[cfg(debug_assertions)]
        self.names.receive(variants);
        _ = variants;
    }

    #[inline]
    fn spend(&self) {
        self.remaining.set(self.remaining.get().saturating_sub(1));
    }
    /// Notes which rule was broken, and makes an error of the format that stands for it.
    #[cold]
    #[inline(never)]
    fn trip_decoding<E: serde::de::Error>(&self, rule: Rule) -> E {
        self.tripped.set(Some(rule));
        E::custom("a rule of the runtime was broken")
    }

    /// As [`trip_decoding`](Self::trip_decoding), where values are encoded.
    #[cold]
    #[inline(never)]
    fn trip_encoding<E: serde::ser::Error>(&self, rule: Rule) -> E {
        self.tripped.set(Some(rule));
        E::custom("a rule of the runtime was broken")
    }

    /// Why decoding failed: `fault`, unless a rule was broken.
    #[cold]
    fn fault(&self, fault: Fault) -> Fault {
        match self.tripped.get() {
            Some(Rule::Depth) => Fault::TooDeep { limit: MAX_DEPTH },
            Some(Rule::EmptyElements) => Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS },
            Some(Rule::SelfDescribing) => Fault::SelfDescribing,
            Some(Rule::UnknownLength | Rule::LeftOut { .. }) | None => fault,
        }
    }

    /// Why encoding failed: `reason`, unless a rule was broken.
    #[cold]
    fn refusal(&self, reason: Box<str>) -> Box<str> {
        let text = match self.tripped.get() {
            Some(Rule::Depth) => Fault::TooDeep { limit: MAX_DEPTH }.to_string(),
            Some(Rule::EmptyElements) => {
                Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS }.to_string()
            }
            Some(Rule::UnknownLength) => "a sequence or a map of unknown length, as `#[serde(flatten)]` makes one: the receiver needs the length first".to_owned(),
            Some(Rule::LeftOut { of, field }) => format!(
                "`{of}` leaves out its field `{field}`, and the receiver would read the next bytes as that field: remove `skip_serializing_if`, as an `Option` of `None` is one byte"
            ),
            Some(Rule::SelfDescribing) | None => return reason,
        };
        text.into()
    }
}

/// A value, serializer, deserializer, visitor, seed or access, watched.
struct Guard<'g, T> {
    inner: T,
    meter: &'g Meter,
    /// Levels that may still be entered.
    depth: u8,
    /// Options, newtypes and enums that may still be entered without a level.
    free: u8,
    /// Whether the elements are as many as a length prefix claimed, rather than as a type declares.
    counted: bool,
}

impl<'g, T> Guard<'g, T> {
    /// A guard around the value of a field, in a message that is nested in as many as `nested`.
    #[inline]
    fn outermost(inner: T, meter: &'g Meter, nested: u32) -> Self {
        let depth = u8::try_from(MAX_DEPTH.saturating_sub(nested)).unwrap_or(u8::MAX);
        Self { inner, meter, depth, free: FREE_WRAPPERS, counted: false }
    }

    #[inline]
    fn around<U>(&self, inner: U) -> Guard<'g, U> {
        Guard { inner, meter: self.meter, depth: self.depth, free: self.free, counted: false }
    }

    /// A guard for what is one level further down: in a sequence, map, tuple or struct.
    #[inline]
    fn level<U>(&self, inner: U, counted: bool) -> Option<Guard<'g, U>> {
        let depth = self.depth.checked_sub(1)?;
        Some(Guard { inner, meter: self.meter, depth, free: FREE_WRAPPERS, counted })
    }

    /// A guard for what is in an option, a newtype or an enum.
    #[inline]
    fn wrapper<U>(&self, inner: U) -> Option<Guard<'g, U>> {
        let (depth, free) = match self.free.checked_sub(1) {
            Some(free) => (self.depth, free),
            None => (self.depth.checked_sub(1)?, 0),
        };
        Some(Guard { inner, meter: self.meter, depth, free, counted: false })
    }

    /// Counts an element that takes no bytes. False if it is one too many.
    #[inline]
    fn count(&self) -> bool {
        let empty = self.meter.empty_elements.get();
        self.meter.empty_elements.set(empty + 1);
        empty < MAX_EMPTY_ELEMENTS
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
