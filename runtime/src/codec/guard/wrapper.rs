//! The wrapper around everything of serde: how deep it is, and what it may still hold.

use super::meter::Meter;
use crate::codec::{MAX_DEPTH, MAX_EMPTY_ELEMENTS};

/// How many options, newtypes and enums in a row are part of what they hold, and no level.
///
/// People count lists in lists, and structs in structs. But a type can recurse through these alone, so
/// that further ones count.
const FREE_WRAPPERS: u8 = 2;

/// A value, serializer, deserializer, visitor, seed or access, watched.
pub(super) struct Guard<'g, T> {
    pub(super) inner: T,
    pub(super) meter: &'g Meter,
    /// Levels that may still be entered.
    pub(super) depth: u8,
    /// Options, newtypes and enums that may still be entered without a level.
    pub(super) free: u8,
    /// Whether the elements are as many as a length prefix claimed, rather than as a type declares.
    pub(super) counted: bool,
}

impl<'g, T> Guard<'g, T> {
    /// A guard around the value of a field, in a message that is nested in as many as `nested`.
    #[inline]
    pub(super) fn outermost(inner: T, meter: &'g Meter, nested: u32) -> Self {
        let depth = u8::try_from(MAX_DEPTH.saturating_sub(nested)).unwrap_or(u8::MAX);
        Self { inner, meter, depth, free: FREE_WRAPPERS, counted: false }
    }

    #[inline]
    pub(super) fn around<U>(&self, inner: U) -> Guard<'g, U> {
        Guard { inner, meter: self.meter, depth: self.depth, free: self.free, counted: false }
    }

    /// A guard for what is one level further down: in a sequence, map, tuple or struct.
    #[inline]
    pub(super) fn level<U>(&self, inner: U, counted: bool) -> Option<Guard<'g, U>> {
        let depth = self.depth.checked_sub(1)?;
        Some(Guard { inner, meter: self.meter, depth, free: FREE_WRAPPERS, counted })
    }

    /// A guard for what is in an option, a newtype or an enum.
    #[inline]
    pub(super) fn wrapper<U>(&self, inner: U) -> Option<Guard<'g, U>> {
        let (depth, free) = match self.free.checked_sub(1) {
            Some(free) => (self.depth, free),
            None => (self.depth.checked_sub(1)?, 0),
        };
        Some(Guard { inner, meter: self.meter, depth, free, counted: false })
    }

    /// Counts an element that takes no bytes. False if it is one too many.
    #[inline]
    pub(super) fn count(&self) -> bool {
        let empty = self.meter.empty_elements.get();
        self.meter.empty_elements.set(empty + 1);
        empty < MAX_EMPTY_ELEMENTS
    }

    /// The number of elements, to reserve room for: what the type declares, or what the input claims if
    /// that is credible.
    #[inline]
    pub(super) fn hint(&self, claimed: Option<usize>) -> Option<usize> {
        if !self.counted {
            return claimed;
        }
        let left = self.meter.reservable.get().checked_sub(claimed?)?;
        self.meter.reservable.set(left);
        claimed
    }
}

impl<'g> Guard<'g, ()> {
    /// The same guard around `inner`.
    #[inline]
    pub(super) fn put<U>(self, inner: U) -> Guard<'g, U> {
        Guard {
            inner,
            meter: self.meter,
            depth: self.depth,
            free: self.free,
            counted: self.counted,
        }
    }
}
