//! Frames that are handed over together.

use std::mem;
use std::ops::Range;

use super::{Inbox, Place};
use crate::error::RecvError;
use crate::limits::Limits;
use crate::message::Descriptors;
use crate::sys::{DatagramFd, Lanes};
use crate::wait::Wait;

impl Inbox {
    /// As [`receive`](Self::receive), and all that have been taken after it, as far as they can be handed over
    /// as they are.
    pub(crate) fn receive_batch(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<Batch<'_>>, RecvError> {
        let Some(place) = self.receive(fd, descriptors, limits, wait)? else { return Ok(None) };
        // It is handed over when it is asked for.
        let left = match place {
            Place::Lane(lane) => {
                self.waiting.start = lane;
                self.waiting.clone().take_while(|&lane| self.is_plain(lane, limits)).count()
            }
            Place::Large => {
                self.put_together = true;
                1
            }
        };
        let Self { loan, waiting, beside, large, put_together, .. } = self;
        Ok(Some(Batch { lanes: loan.as_deref(), waiting, beside, large, put_together, left }))
    }
}

/// Frames that have been taken. Those that are not taken from here stay where they are.
#[derive(Debug)]
pub(crate) struct Batch<'i> {
    lanes: Option<&'i Lanes>,
    waiting: &'i mut Range<usize>,
    beside: &'i mut Descriptors,
    large: &'i Vec<u8>,
    put_together: &'i mut bool,
    left: usize,
}

impl<'i> Batch<'i> {
    pub(crate) fn len(&self) -> usize {
        self.left
    }

    /// The next frame's bytes, how much memory is there for them, and its descriptors.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<((&'i [u8], usize), Descriptors)> {
        self.left = self.left.checked_sub(1)?;
        let place = match mem::take(self.put_together) {
            true => Place::Large,
            false => Place::Lane(self.waiting.next()?),
        };
        Some((place.find(self.lanes, self.large), mem::take(self.beside)))
    }
}
