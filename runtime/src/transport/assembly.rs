//! Putting together a frame that comes in pieces.

use std::collections::TryReserveError;
use std::mem;

use super::receive::{discard, is_reserved, take_message};
use crate::error::{FragmentFault, RecvError};
use crate::limits::Limits;
use crate::message::Descriptors;
use crate::sys::{self, DatagramFd, Peeked};
use crate::wire::{HEAD_LEN, Head};

/// How much room is made at most for bytes that have only been announced. Beyond it, room doubles as they
/// arrive, which moves no bytes (mremap(2)): a frame may turn out shorter than its first piece claims.
const MAX_AHEAD: usize = 1024 * 1024;

/// How much new memory is made resident at once: so much that its pages cost little, and so little that
/// they are still in the processor's cache when what arrives is copied there.
const MAX_RESIDENT_AHEAD: usize = 512 * 1024;

/// The pieces of a frame that have come, over as many receives as it takes.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    state: State,
    /// What has come, while gathering.
    bytes: Vec<u8>,
    /// Up to where the memory of `bytes` is not new.
    resident: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum State {
    /// No frame has been begun.
    #[default]
    Idle,
    /// The frame of this number, of this many bytes, is under way.
    Gathering { number: u32, total: usize },
    /// A frame was refused, and its further pieces are dropped.
    Refused,
}

/// What is to be done with a piece.
enum Verdict {
    /// It is added: there is room for it.
    Take,
    /// It is dropped.
    Drop,
}

impl Assembly {
    /// Gives up the frame that is under way, if one is, as the end or something else than a piece has come: that
    /// is an error before what has come is looked at.
    #[cold]
    pub(super) fn interrupt(&mut self) -> Result<(), RecvError> {
        let received = self.bytes.len();
        self.clear();
        match mem::take(&mut self.state) {
            State::Gathering { total, .. } => Err(RecvError::Incomplete { received, total }),
            State::Idle | State::Refused => Ok(()),
        }
    }

    /// How long the frame is that the peeked datagram belongs to.
    pub(crate) fn frame_len(&self, peeked: &Peeked) -> usize {
        if !is_reserved(peeked) || peeked.len <= HEAD_LEN {
            return peeked.len;
        }
        match (Head::from_bytes(peeked.head).0, self.state) {
            (Ok(Head::First { total }), _) => to_usize(total),
            (Ok(Head::Next { .. }), State::Gathering { total, .. }) => total,
            _ => peeked.len,
        }
    }

    /// Whether a frame is under way, or the rest of one is being dropped.
    pub(super) fn is_under_way(&self) -> bool {
        self.state != State::Idle
    }

    /// Receives the peeked piece. The frame is in `buffer` once it is complete, and its descriptors are
    /// returned. To be called after [`meet`](Self::meet).
    #[cold]
    pub(super) fn receive(
        &mut self,
        fd: &DatagramFd,
        buffer: &mut Vec<u8>,
        peeked: &Peeked,
        limits: Limits,
    ) -> Result<Option<Descriptors>, RecvError> {
        let descriptors = match self.judge(buffer, peeked, limits) {
            Ok(Verdict::Take) => self.take_piece(fd, peeked)?,
            Ok(Verdict::Drop) => {
                discard(fd)?;
                return Ok(None);
            }
            Err(refusal) => {
                discard(fd)?;
                return Err(refusal);
            }
        };
        Ok(self.complete(buffer).then_some(descriptors))
    }

    /// Adds a piece that has been taken already, of these `bytes`. Whether the frame is complete: it is in
    /// `buffer` then. To be called after [`meet`](Self::meet).
    #[cold]
    pub(super) fn add(
        &mut self,
        buffer: &mut Vec<u8>,
        piece: &Peeked,
        bytes: &[u8],
        limits: Limits,
    ) -> Result<bool, RecvError> {
        match self.judge(buffer, piece, limits)? {
            Verdict::Take => {
                self.bytes.extend_from_slice(bytes.get(HEAD_LEN..).unwrap_or_default());
            }
            Verdict::Drop => return Ok(false),
        }
        Ok(self.complete(buffer))
    }

    /// What has come of a frame that is under way, as a first piece of it.
    pub(super) fn to_piece(&self) -> Option<Vec<u8>> {
        let State::Gathering { number, total } = self.state else { return None };
        let head = Head::First { total: total as u64 }.to_bytes(number);
        Some([&head, &*self.bytes].concat())
    }

    /// Looks at a datagram before it is taken: if it is not a further piece, a frame that is under way can
    /// no longer be completed, which is an error before the datagram is looked at again.
    #[inline]
    pub(super) fn meet(&mut self, datagram: &Peeked) -> Result<(), RecvError> {
        match self.state {
            State::Idle => Ok(()),
            _ if is_reserved(datagram)
                && (datagram.len <= HEAD_LEN
                    || !matches!(Head::from_bytes(datagram.head).0, Ok(Head::First { .. }))) =>
            {
                Ok(())
            }
            _ => self.interrupt(),
        }
    }

    /// What is to be done with a datagram with tag 0. After an error, it is to be dropped, too.
    fn judge(
        &mut self,
        buffer: &mut Vec<u8>,
        datagram: &Peeked,
        limits: Limits,
    ) -> Result<Verdict, RecvError> {
        let Some(len) = datagram.len.checked_sub(HEAD_LEN).filter(|&len| len > 0) else {
            return self.refuse(FragmentFault::Short { len: datagram.len });
        };
        let (head, number) = Head::from_bytes(datagram.head);
        let total = match (head, self.state) {
            (Ok(Head::First { total }), _) => {
                self.begin(buffer, number, to_usize(total), limits)?;
                to_usize(total)
            }
            (Ok(Head::Next { .. }), State::Gathering { number: expected, .. })
                if number != expected =>
            {
                return self.refuse(FragmentFault::OtherFrame { expected, found: number });
            }
            (Ok(Head::Next { offset }), State::Gathering { total, .. }) => {
                let expected = self.bytes.len();
                if offset != expected as u64 {
                    return self.refuse(FragmentFault::Offset { expected, found: offset });
                }
                total
            }
            (Ok(Head::Next { .. }), State::Refused) => return Ok(Verdict::Drop),
            (Ok(Head::Next { offset }), State::Idle) => {
                return self.refuse(FragmentFault::Orphan { offset });
            }
            (Ok(head @ Head::Memfd { .. }), _) => {
                return self.refuse(FragmentFault::Kind(head.kind()));
            }
            (Err(kind), _) => return self.refuse(FragmentFault::Kind(kind)),
        };
        let offset = self.bytes.len();
        if len > total - offset {
            return self.refuse(FragmentFault::Overrun { offset, len, total });
        }
        if self.make_room(len, total - offset).is_err() {
            self.give_up_silently();
            return Err(RecvError::NoMemory { len: total });
        }
        Ok(Verdict::Take)
    }

    /// Begins a frame, in the memory of `buffer`, if it is within the limit.
    fn begin(
        &mut self,
        buffer: &mut Vec<u8>,
        number: u32,
        total: usize,
        limits: Limits,
    ) -> Result<(), RecvError> {
        if total > limits.frame_len {
            self.give_up_silently();
            return Err(RecvError::TooLarge { len: total, limit: limits.frame_len });
        }
        self.clear();
        self.bytes = mem::take(buffer);
        self.bytes.clear();
        self.resident = self.bytes.capacity();
        self.state = State::Gathering { number, total };
        Ok(())
    }

    /// Hands over the frame if it is complete.
    fn complete(&mut self, buffer: &mut Vec<u8>) -> bool {
        match self.state {
            // Descriptors that do not come with the last piece are closed: nobody sends any.
            State::Gathering { total, .. } if self.bytes.len() < total => false,
            State::Gathering { .. } => {
                self.state = State::Idle;
                mem::swap(buffer, &mut self.bytes);
                self.clear();
                true
            }
            State::Idle | State::Refused => false,
        }
    }

    /// Takes a piece of `len` bytes to the end of what has come, and the descriptors beside it.
    fn take_piece(&mut self, fd: &DatagramFd, peeked: &Peeked) -> Result<Descriptors, RecvError> {
        let mut head = [0; HEAD_LEN];
        let received = match take_message(fd, &mut head, &mut self.bytes) {
            Ok(Some(received)) => received,
            // Somebody else has taken it.
            Ok(None) => return Ok(Descriptors::default()),
            Err(error) => {
                self.give_up_silently();
                return Err(error);
            }
        };
        if received.len != peeked.len || head != peeked.head {
            self.give_up_silently();
            return Err(RecvError::Stolen { peeked: peeked.len, len: received.len });
        }
        Ok(received.descriptors.into())
    }

    /// Makes room for a piece of `len` bytes, of the `left` bytes that are missing.
    fn make_room(&mut self, len: usize, left: usize) -> Result<(), TryReserveError> {
        let offset = self.bytes.len();
        if self.bytes.capacity() - offset < len {
            self.bytes.try_reserve_exact(left.min(offset.max(MAX_AHEAD)))?;
        }
        if offset + len > self.resident {
            // No more than has come: what is only announced costs no memory.
            let ahead = offset.min(MAX_RESIDENT_AHEAD);
            let from = self.resident.max(offset);
            let room = self.bytes.spare_capacity_mut();
            let new = room.get_mut(from - offset..).unwrap_or_default();
            let (new, _) = new.split_at_mut(ahead.min(new.len()));
            sys::populate(new);
            self.resident = from + new.len();
        }
        Ok(())
    }

    /// Drops the frame that the piece is of, with all that has come and may come of it.
    fn refuse(&mut self, fault: FragmentFault) -> Result<Verdict, RecvError> {
        self.give_up_silently();
        Err(RecvError::BadFragment(fault))
    }

    fn give_up_silently(&mut self) {
        self.state = State::Refused;
        self.clear();
    }

    fn clear(&mut self) {
        self.bytes = Vec::new();
    }
}

/// A length past what the machine can address is over every limit.
fn to_usize(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
