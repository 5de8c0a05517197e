//! Frames that a receiver has taken, and hands over: one, or several together.

use std::mem;
use std::ops::Range;

use crate::message::Descriptors;
use crate::sys::Lanes;

/// Where the frame lies that has been received.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Lane(usize),
    Large,
}

impl Place {
    /// The frame's bytes, and how much memory is there for them.
    #[inline]
    pub(super) fn find<'i>(
        self,
        lanes: Option<&'i Lanes>,
        large: &'i Vec<u8>,
    ) -> (&'i [u8], usize) {
        match (self, lanes) {
            (Self::Lane(lane), Some(lanes)) => (lanes.bytes(lane), lanes.resident(lane)),
            _ => (large, large.capacity()),
        }
    }
}

/// Frames that have been taken. Those that are not taken from here stay where they are.
#[derive(Debug)]
pub(crate) struct Batch<'i> {
    pub(super) lanes: Option<&'i Lanes>,
    pub(super) waiting: &'i mut Range<usize>,
    pub(super) beside: &'i mut Descriptors,
    pub(super) large: &'i Vec<u8>,
    pub(super) put_together: &'i mut Option<Descriptors>,
    pub(super) left: usize,
}

impl<'i> Batch<'i> {
    pub(crate) fn len(&self) -> usize {
        self.left
    }

    /// The next frame's bytes, how much memory is there for them, and its descriptors.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<((&'i [u8], usize), Descriptors)> {
        self.left = self.left.checked_sub(1)?;
        if let Some(descriptors) = self.put_together.take() {
            return Some((Place::Large.find(None, self.large), descriptors));
        }
        let place = Place::Lane(self.waiting.next()?);
        Some((place.find(self.lanes, self.large), mem::take(self.beside)))
    }
}
