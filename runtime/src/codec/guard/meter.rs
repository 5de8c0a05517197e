//! What the guards of one field count together, and the rule that was broken.

use std::cell::Cell;

#[cfg(debug_assertions)]
use super::names::Names;
use crate::codec::{MAX_DEPTH, MAX_EMPTY_ELEMENTS};
use crate::error::Fault;

/// How many bytes of input it takes to reserve room for one element ahead of its decoding.
///
/// In memory an element is often larger than in the frame, by how much only its type knows. A sequence
/// that claims more elements is not told of its length and grows as they arrive, which costs a long
/// one of tiny elements some reallocations. What a false claim reserves is bounded: for elements of 64
/// bytes in memory, by eight times the input.
const BYTES_PER_RESERVED: usize = 8;

/// What the guards of one field share.
pub(super) struct Meter {
    /// Bytes that the input may still hold: its length, less one for each value met so far that
    /// takes at least one byte. Never less than what is really left.
    pub(super) remaining: Cell<usize>,
    /// Where values are encoded: whether one of at least one byte was, since this was last reset.
    pub(super) wrote: Cell<bool>,
    /// Elements that may still be reserved room for, by all sequences together: in a frame that
    /// tells the truth they are no more than its bytes, however deep sequences are nested.
    pub(super) reservable: Cell<usize>,
    /// Elements of no bytes met so far in the frame.
    pub(super) empty_elements: Cell<u32>,
    /// The rule that was broken. The format's error type need not be able to say.
    pub(super) tripped: Cell<Option<Rule>>,
    #[cfg(debug_assertions)]
    pub(super) names: Names,
}

#[derive(Clone, Copy)]
pub(super) enum Rule {
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
    pub(super) fn new(remaining: usize, empty_elements: u32) -> Self {
        Self {
            remaining: Cell::new(remaining),
            wrote: Cell::new(true),
            reservable: Cell::new(remaining / BYTES_PER_RESERVED),
            empty_elements: Cell::new(empty_elements),
            tripped: Cell::new(None),
            #[cfg(debug_assertions)]
            names: Names::default(),
        }
    }

    /// Notes the variant that is serialised.
    #[inline]
    pub(super) fn sends(&self, of: &'static str, variant: &'static str) {
        #[cfg(debug_assertions)]
        self.names.sent(of, variant);
        _ = (of, variant);
    }

    /// Notes the variants of the enum that is deserialised.
    #[inline]
    pub(super) fn receives(&self, variants: &'static [&'static str]) {
        #[cfg(debug_assertions)]
        self.names.receive(variants);
        _ = variants;
    }

    #[inline]
    pub(super) fn spend(&self) {
        self.remaining.set(self.remaining.get().saturating_sub(1));
    }

    /// Notes which rule was broken, and makes an error of the format that stands for it.
    #[cold]
    #[inline(never)]
    pub(super) fn trip_decoding<E: serde::de::Error>(&self, rule: Rule) -> E {
        self.tripped.set(Some(rule));
        E::custom("a rule of the runtime was broken")
    }

    /// As [`trip_decoding`](Self::trip_decoding), where values are encoded.
    #[cold]
    #[inline(never)]
    pub(super) fn trip_encoding<E: serde::ser::Error>(&self, rule: Rule) -> E {
        self.tripped.set(Some(rule));
        E::custom("a rule of the runtime was broken")
    }

    /// Why decoding failed: `fault`, unless a rule was broken.
    #[cold]
    pub(super) fn fault(&self, fault: Fault) -> Fault {
        match self.tripped.get() {
            Some(Rule::Depth) => Fault::TooDeep { limit: MAX_DEPTH },
            Some(Rule::EmptyElements) => Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS },
            Some(Rule::SelfDescribing) => Fault::SelfDescribing,
            Some(Rule::UnknownLength | Rule::LeftOut { .. }) | None => fault,
        }
    }

    /// Why encoding failed: `reason`, unless a rule was broken.
    #[cold]
    pub(super) fn refusal(&self, reason: Box<str>) -> Box<str> {
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
