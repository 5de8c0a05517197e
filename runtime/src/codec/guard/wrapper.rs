//! The wrapper around everything in serde, with its depth and its counts.

use super::meter::Meter;
use crate::codec::{MAX_DEPTH, MAX_EMPTY_ELEMENTS};

/// How many options, newtypes and enums in a row are not a level.
///
/// Users think of levels as lists in lists, and structs in structs. But a type can recurse through options, newtypes
/// and enums alone, so further ones are levels too.
const FREE_WRAPPERS: u8 = 2;

/// A guarded value, serializer, deserializer, visitor, seed or access.
pub(super) struct Guard<'g, T> {
    pub(super) inner: T,
    pub(super) meter: &'g Meter,
    /// How many more levels are allowed.
    pub(super) depth: u8,
    /// How many more options, newtypes and enums are not a level.
    pub(super) free: u8,
    /// Whether a length in the frame, not the type, gives the number of elements.
    pub(super) counted: bool,
}

impl<'g, T> Guard<'g, T> {
    /// Returns a guard around the value of a field. `nested` is the number of messages around its own.
    #[inline]
    pub(super) fn outermost(inner: T, meter: &'g Meter, nested: u32) -> Self {
        let depth = u8::try_from(MAX_DEPTH.saturating_sub(nested)).unwrap_or(u8::MAX);
        Self { inner, meter, depth, free: FREE_WRAPPERS, counted: false }
    }

    #[inline]
    pub(super) fn around<U>(&self, inner: U) -> Guard<'g, U> {
        Guard { inner, meter: self.meter, depth: self.depth, free: self.free, counted: false }
    }

    /// Returns a guard for the next level: the content of a sequence, map, tuple or struct.
    #[inline]
    pub(super) fn level<U>(&self, inner: U, counted: bool) -> Option<Guard<'g, U>> {
        let depth = self.depth.checked_sub(1)?;
        Some(Guard { inner, meter: self.meter, depth, free: FREE_WRAPPERS, counted })
    }

    /// Returns a guard for the content of an option, a newtype or an enum.
    #[inline]
    pub(super) fn wrapper<U>(&self, inner: U) -> Option<Guard<'g, U>> {
        let (depth, free) = match self.free.checked_sub(1) {
            Some(free) => (self.depth, free),
            None => (self.depth.checked_sub(1)?, 0),
        };
        Some(Guard { inner, meter: self.meter, depth, free, counted: false })
    }

    /// Counts an element that takes no bytes. Returns whether the number is within the limit.
    #[inline]
    pub(super) fn count(&self) -> bool {
        let empty = self.meter.empty_elements.get();
        self.meter.empty_elements.set(empty + 1);
        empty < MAX_EMPTY_ELEMENTS
    }

    /// Returns the number of elements to reserve room for: the number that the type declares, or the number that
    /// the input claims if that is credible.
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
    /// Returns the same guard around `inner`.
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
