//! The counts that the guards of one field share, and the rule that was broken.

use std::cell::Cell;

#[cfg(debug_assertions)]
use super::names::Names;
use crate::codec::{MAX_DEPTH, MAX_EMPTY_ELEMENTS};
use crate::error::Fault;

/// The number of input bytes for each element that a sequence may reserve room for in advance.
///
/// An element often takes more bytes in memory than in the frame. If a sequence claims more elements than this
/// number allows, it gets no size hint and grows as its elements arrive. A long sequence of tiny elements then
/// needs some reallocations. A false claim reserves little: for elements of 64 bytes in memory, at most eight
/// times the input.
const BYTES_PER_RESERVED: usize = 8;

/// The counts that the guards of one field share.
pub(super) struct Meter {
    /// An upper bound of the bytes left in the input: its length, less one for each value so far that takes at
    /// least one byte.
    pub(super) remaining: Cell<usize>,
    /// On encoding: whether a value of at least one byte was written since the last reset.
    pub(super) wrote: Cell<bool>,
    /// How many more elements all sequences together may reserve room for. An honest frame has no more elements
    /// than bytes, at any depth.
    pub(super) reservable: Cell<usize>,
    /// Elements of no bytes in the frame so far.
    pub(super) empty_elements: Cell<u32>,
    /// The rule that was broken. The error type of the format may not be able to hold it.
    pub(super) tripped: Cell<Option<Rule>>,
    #[cfg(debug_assertions)]
    pub(super) names: Names,
}

#[derive(Clone, Copy)]
pub(super) enum Rule {
    Depth,
    EmptyElements,
    /// A type needs a format that describes itself.
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

    /// Notes a serialised variant.
    #[inline]
    pub(super) fn sends(&self, of: &'static str, variant: &'static str) {
        #[cfg(debug_assertions)]
        self.names.sent(of, variant);
        _ = (of, variant);
    }

    /// Notes the variants of the enum that is being deserialised.
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

    /// Notes the broken rule, and returns an error of the format in its place.
    #[cold]
    #[inline(never)]
    pub(super) fn trip_decoding<E: serde::de::Error>(&self, rule: Rule) -> E {
        self.tripped.set(Some(rule));
        E::custom("a rule of the runtime was broken")
    }

    /// Does the same as [`trip_decoding`](Self::trip_decoding), on encoding.
    #[cold]
    #[inline(never)]
    pub(super) fn trip_encoding<E: serde::ser::Error>(&self, rule: Rule) -> E {
        self.tripped.set(Some(rule));
        E::custom("a rule of the runtime was broken")
    }

    /// Returns why decoding failed: the broken rule, or else `fault`.
    #[cold]
    pub(super) fn fault(&self, fault: Fault) -> Fault {
        match self.tripped.get() {
            Some(Rule::Depth) => Fault::TooDeep { limit: MAX_DEPTH },
            Some(Rule::EmptyElements) => Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS },
            Some(Rule::SelfDescribing) => Fault::SelfDescribing,
            Some(Rule::UnknownLength | Rule::LeftOut { .. }) | None => fault,
        }
    }

    /// Returns why encoding failed: the broken rule, or else `reason`.
    #[cold]
    pub(super) fn refusal(&self, reason: Box<str>) -> Box<str> {
        let text = match self.tripped.get() {
            Some(Rule::Depth) => Fault::TooDeep { limit: MAX_DEPTH }.to_string(),
            Some(Rule::EmptyElements) => {
                Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS }.to_string()
            }
            Some(Rule::UnknownLength) => "a sequence or map of unknown length (as `#[serde(flatten)]` makes): collect it into a `Vec` or a map first, or remove `flatten`".to_owned(),
            Some(Rule::LeftOut { of, field }) => format!(
                "`{of}` skips its field `{field}`, but the receiver would read the next bytes as that field: remove `skip_serializing_if` (`None` takes one byte)"
            ),
            Some(Rule::SelfDescribing) | None => return reason,
        };
        text.into()
    }
}
