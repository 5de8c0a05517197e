//! Putting together a large frame that comes in pieces.

use crate::error::{FragmentFault, RecvError};
use crate::sys::{self, Scatter};
use crate::wire::{HEAD_LEN, Head};

/// How much room is made for bytes that have only been announced, in bytes. Beyond it, room doubles as
/// they arrive, which moves no bytes (mremap(2)): a frame may end before what its first piece claims.
const MAX_AHEAD: usize = 1024 * 1024;

/// How much room a piece is expected to need, in bytes. A longer one spills over.
const LIKELY_PIECE: usize = 256 * 1024;

/// How much new memory is made resident at once, in bytes: so much that its pages cost little, and so
/// little that they are still in the processor's cache when bytes are copied there.
const MAX_RESIDENT_AHEAD: usize = 512 * 1024;

/// A frame of which some pieces have come.
#[derive(Debug)]
pub(super) struct Assembly {
    number: u32,
    /// How long the frame will be.
    total: usize,
    /// What has come.
    bytes: Vec<u8>,
    /// Up to where the memory of `bytes` is not new.
    resident: usize,
}

/// What a datagram is to a frame under assembly.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its next piece.
    Piece,
    /// A piece that does not fit.
    Fault(FragmentFault),
    /// Something else: the frame can no longer be completed.
    Foreign,
}

impl Assembly {
    /// Begins a frame of `total` bytes, in `memory`.
    pub(super) fn begin(
        mut memory: Vec<u8>,
        number: u32,
        total: u64,
        limit: usize,
    ) -> Result<Self, RecvError> {
        // A length past what the machine can address is over every limit.
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        if total > limit {
            return Err(RecvError::TooLarge { len: total, limit });
        }
        memory.clear();
        Ok(Self { number, total, resident: memory.capacity(), bytes: memory })
    }

    /// How much of the frame has come, in bytes.
    pub(super) fn received(&self) -> usize {
        self.bytes.len()
    }

    /// How long the frame will be, in bytes.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// The error for a frame that can no longer be completed; none for one of which nothing has come.
    pub(super) fn into_error(self) -> Option<RecvError> {
        let (received, total) = (self.bytes.len(), self.total);
        (received > 0).then_some(RecvError::Incomplete { received, total })
    }

    /// The frame, if it is complete.
    pub(super) fn take_complete(&mut self) -> Option<Vec<u8>> {
        (self.bytes.len() == self.total).then(|| std::mem::take(&mut self.bytes))
    }

    /// What has come, as a first piece.
    pub(super) fn into_piece(self) -> Option<Vec<u8>> {
        let head = Head::First { number: self.number, total: self.total as u64 }.to_bytes();
        (!self.bytes.is_empty()).then(|| [&head, &*self.bytes].concat())
    }

    /// Makes room for the next piece.
    pub(super) fn make_room(&mut self) -> Result<(), RecvError> {
        self.reserve((self.total - self.bytes.len()).min(LIKELY_PIECE))
    }

    /// The room for the next piece, behind those that have come.
    pub(super) fn scatter<'b>(&'b mut self, head: &'b mut [u8; HEAD_LEN]) -> Scatter<'b> {
        let max = self.total - self.bytes.len();
        Scatter { head, room: &mut self.bytes, max }
    }

    /// What a datagram of `len` bytes is that begins with `head`, where `received` bytes had come before.
    pub(super) fn judge(&self, head: [u8; HEAD_LEN], len: usize, received: usize) -> Verdict {
        if head.first() != Some(&0) {
            return Verdict::Foreign;
        }
        let payload = len.saturating_sub(HEAD_LEN);
        let (number, offset) = match Head::from_bytes(head) {
            _ if payload == 0 => return Verdict::Fault(FragmentFault::Short { len }),
            Ok(Head::Next { number, offset }) => (number, offset),
            Ok(Head::First { number, total }) if received == 0 && total == self.total as u64 => {
                (number, 0)
            }
            Ok(Head::First { .. } | Head::Bundle { .. }) => return Verdict::Foreign,
            Ok(head @ Head::Memory { .. }) => {
                return Verdict::Fault(FragmentFault::Kind(head.kind()));
            }
            Err(kind) => return Verdict::Fault(FragmentFault::Kind(kind)),
        };
        if number != self.number {
            let expected = self.number;
            return Verdict::Fault(FragmentFault::OtherFrame { expected, found: number });
        }
        if offset != received as u64 {
            return Verdict::Fault(FragmentFault::Offset { expected: received, found: offset });
        }
        if payload > self.total - received {
            let (offset, total) = (received, self.total);
            return Verdict::Fault(FragmentFault::Overrun { offset, len: payload, total });
        }
        Verdict::Piece
    }

    /// Adds bytes of a piece that [`judge`](Self::judge) has let through: the last ones, up to the first
    /// `end` of the frame. An error if the lane was too short for all of them.
    pub(super) fn add(&mut self, bytes: &[u8], end: usize) -> Result<(), RecvError> {
        if self.bytes.len() + bytes.len() < end {
            return Err(RecvError::NoMemory { len: self.total });
        }
        self.reserve(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes back what a read has put behind the first `received` bytes.
    pub(super) fn split_off(&mut self, received: usize) -> Vec<u8> {
        self.bytes.split_off(received)
    }

    /// Makes room for `len` bytes more.
    fn reserve(&mut self, len: usize) -> Result<(), RecvError> {
        let offset = self.bytes.len();
        if self.bytes.capacity() - offset < len {
            let left = self.total - offset;
            let more = left.min(offset.max(MAX_AHEAD)).max(len);
            let reserved = self.bytes.try_reserve_exact(more);
            reserved.map_err(|_| RecvError::NoMemory { len: self.total })?;
        }
        if offset + len > self.resident {
            // No more than has come: what is only announced costs no memory.
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
