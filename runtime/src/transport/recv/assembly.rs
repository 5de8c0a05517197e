//! Reassembles a large frame from its pieces.

use crate::budget::Budget;
use crate::error::{FragmentFault, RecvError};
use crate::sys::{self, Permit, Scatter};
use crate::wire::{HEAD_LEN, Head, is_reserved};

/// The most room reserved for announced bytes that have not arrived, in bytes, because a sender may announce more than
/// it sends. Beyond this, the room doubles as bytes arrive, which copies nothing (mremap(2)).
const MAX_AHEAD: usize = 1024 * 1024;

/// The room made for a piece, in bytes. A longer piece spills over into the lane.
const LIKELY_PIECE: usize = 256 * 1024;

/// The most new memory to make resident at once, in bytes. One call populates many pages, and they are still
/// in the processor's cache when the kernel copies bytes there.
const MAX_RESIDENT_AHEAD: usize = 512 * 1024;

/// A frame under assembly.
#[derive(Debug)]
pub(super) struct Assembly {
    number: u32,
    /// The length of the whole frame.
    pub(super) total: usize,
    /// How many bytes have arrived.
    pub(super) received: usize,
    /// The bytes that have arrived. After a read, also the bytes that it wrote in the place of the next piece.
    pub(super) bytes: Vec<u8>,
    /// How many bytes of the memory of `bytes` are resident.
    resident: usize,
    /// Its share of the budget, if there is one. Dropped last, after the memory.
    _reservation: Option<Permit>,
}

impl Assembly {
    /// Begins a frame of `total` bytes, in `memory`, and reserves them from `budget`.
    pub(super) fn begin(
        mut memory: Vec<u8>,
        number: u32,
        total: u64,
        limit: usize,
        budget: Option<&Budget>,
    ) -> Result<Self, RecvError> {
        // A length beyond the address space is over every limit.
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        if total > limit {
            return Err(RecvError::TooLarge { len: total, limit });
        }
        let reservation = budget.map(|budget| budget.reserve(total)).transpose()?;
        memory.clear();
        if reservation.is_some() {
            // The memory of a longer frame does not count.
            memory.shrink_to(total);
        }
        let resident = memory.capacity();
        Ok(Self { number, total, received: 0, bytes: memory, resident, _reservation: reservation })
    }

    /// Returns the error for a frame that cannot be completed.
    pub(super) fn into_error(self) -> RecvError {
        RecvError::Incomplete { received: self.received, total: self.total }
    }

    /// Takes the frame, if it is complete.
    pub(super) fn take_complete(&mut self) -> Option<Vec<u8>> {
        (self.received == self.total).then(|| std::mem::take(&mut self.bytes))
    }

    /// Returns the bytes that have arrived as one first piece.
    pub(super) fn into_piece(self) -> Vec<u8> {
        let head = Head::First { number: self.number, total: self.total as u64 }.to_bytes();
        [&head, &*self.bytes].concat()
    }

    /// Makes room for the next piece, after the bytes that have arrived, and returns it.
    pub(super) fn scatter<'b>(
        &'b mut self,
        head: &'b mut [u8; HEAD_LEN],
    ) -> Result<Scatter<'b>, RecvError> {
        let max = self.total - self.received;
        self.reserve(max.min(LIKELY_PIECE))?;
        Ok(Scatter { head, room: &mut self.bytes, max })
    }

    /// Returns whether a datagram of `len` bytes that begins with `first` is the next piece. `false` means
    /// something else, which ends the frame. Fails for a piece that does not fit.
    pub(super) fn expects(&self, first: &[u8], len: usize) -> Result<bool, FragmentFault> {
        if !first.first().is_some_and(|&first| is_reserved(first)) {
            return Ok(false);
        }
        let Self { received, total, .. } = *self;
        let payload = len.saturating_sub(HEAD_LEN);
        let (number, offset) = match Head::parse(first).filter(|_| payload > 0) {
            None => return Err(FragmentFault::Short { len }),
            Some(Ok(Head::Next { number, offset })) => (number, offset),
            Some(Ok(Head::First { number, .. })) if received == 0 => (number, 0),
            Some(Ok(Head::First { .. } | Head::Bundle { .. } | Head::Call(_))) => return Ok(false),
            Some(Ok(head @ Head::Memory { .. })) => return Err(FragmentFault::Kind(head.kind())),
            Some(Err(kind)) => return Err(FragmentFault::Kind(kind)),
        };
        if number != self.number {
            return Err(FragmentFault::OtherFrame { expected: self.number, found: number });
        }
        if offset != received as u64 {
            return Err(FragmentFault::Offset { expected: received, found: offset });
        }
        if payload > total - received {
            return Err(FragmentFault::Overrun { offset: received, len: payload, total });
        }
        Ok(true)
    }

    /// Adds a piece of `len` bytes that [`expects`](Self::expects) accepted: the bytes that a read wrote in its place,
    /// then `bytes`. Fails if the lane was too short for all of them.
    pub(super) fn add(&mut self, bytes: &[u8], len: usize) -> Result<(), RecvError> {
        self.received += len - HEAD_LEN;
        if self.bytes.len() + bytes.len() < self.received {
            return Err(RecvError::NoMemory { len: self.total });
        }
        self.reserve(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Removes and returns the bytes that a read wrote in the place of the next piece.
    pub(super) fn take_written(&mut self) -> Vec<u8> {
        self.bytes.split_off(self.received)
    }

    /// Makes room for `len` more bytes.
    fn reserve(&mut self, len: usize) -> Result<(), RecvError> {
        let offset = self.bytes.len();
        if self.bytes.capacity() - offset < len {
            let left = self.total - offset;
            let more = left.min(offset.max(MAX_AHEAD)).max(len);
            let reserved = self.bytes.try_reserve_exact(more);
            reserved.map_err(|_| RecvError::NoMemory { len: self.total })?;
        }
        if offset + len > self.resident {
            // No more than the bytes that have arrived, so that announced bytes cost no memory.
            let ahead = offset.min(MAX_RESIDENT_AHEAD);
            let from = self.resident.max(offset);
            let new = self.bytes.spare_capacity_mut().get_mut(from - offset..).unwrap_or_default();
            let (new, _) = new.split_at_mut(ahead.min(new.len()));
            sys::populate(new);
            self.resident = from + new.len();
        }
        Ok(())
    }
}
