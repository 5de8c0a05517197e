//! Reads datagrams, and puts pieces in their place in the frame under assembly.

use std::mem;

use super::assembly::Assembly;
use super::slot::Slot;
use crate::budget::Budget;
use crate::error::{FragmentFault, RecvError};
use crate::sys::DatagramFd;
use crate::wire::{CallHead, HEAD_LEN, Head, MAX_BUNDLE, is_bundle, kind_not_in_pieces};

/// The number of discarded pieces after which a receive reports an error again. A peer thus cannot block a call
/// with pieces of refused frames.
const MAX_DISCARDED: usize = 1024;

/// The shortest frame whose first piece leaves no memory in the lane, in bytes. A shorter frame takes little memory
/// itself, and the next one would page-fault again.
const MIN_TRIMMED: usize = 4 * 1024 * 1024;

/// What arrived.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReadResult {
    /// A datagram of this length, or a frame that its last piece has completed, is in the slot. 0 for an empty
    /// datagram, and at the end.
    Datagram(usize),
    /// A piece, now in its place in the frame under assembly.
    Piece,
}

/// The frame under assembly, if there is one.
#[derive(Debug)]
pub(super) struct Pieces {
    state: State,
    /// Bounds the frames under assembly of all receivers that share it.
    budget: Option<Budget>,
}

#[derive(Debug)]
enum State {
    Idle,
    /// Some bytes have arrived.
    Assembling(Box<Assembly>),
    /// A frame was refused, and its further pieces are discarded.
    Discarding {
        /// The number of pieces discarded since the last error.
        count: usize,
        /// The head of the refused part of a call, if there was no memory for the part. Boxed, because it is rare.
        lost: Option<Box<CallHead>>,
    },
}

impl State {
    const REFUSED: Self = Self::Discarding { count: 0, lost: None };
}

impl Pieces {
    pub(super) fn new(budget: Option<Budget>) -> Self {
        Self { state: State::Idle, budget }
    }

    /// Returns whether no frame is under assembly or being discarded.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Returns the frame under assembly.
    #[inline]
    pub(super) fn assembly(&self) -> Option<&Assembly> {
        match &self.state {
            State::Assembling(assembly) => Some(assembly),
            State::Idle | State::Discarding { .. } => None,
        }
    }

    /// Reads a datagram if one is queued: a piece directly into its place. Waits for it if `block`.
    #[inline]
    pub(super) fn read(
        &mut self,
        slot: &mut Slot,
        fd: &DatagramFd,
        limit: usize,
        block: bool,
    ) -> Result<Option<ReadResult>, RecvError> {
        // Bytes over the limit are not needed, except for the heads of pieces and of calls, and for bundles.
        let cap = |limit: usize| limit.saturating_add(2 * HEAD_LEN).max(MAX_BUNDLE);
        let State::Assembling(assembly) = &mut self.state else {
            let len = slot.read(fd, None, cap(limit), block)?;
            return Ok(len.map(ReadResult::Datagram));
        };
        // The limit may have been lowered since the frame was begun.
        let cap = cap(limit.max(assembly.total));
        let mut head = [0; HEAD_LEN];
        let read = match assembly.scatter(&mut head) {
            Ok(scatter) => slot.read(fd, Some(scatter), cap, block),
            Err(error) => {
                self.lose();
                return Err(error);
            }
        };
        let Some(len) = read? else { return Ok(None) };
        let head = head.get(..len).unwrap_or(&head);
        if assembly.expects(head, len) == Ok(true) {
            return self.add(slot, 0, len).map(Some);
        }
        let datagram = [head, &assembly.take_written(), slot.bytes()].concat();
        slot.put(datagram);
        Ok(Some(ReadResult::Datagram(len)))
    }

    /// Adds the datagram in `slot`, of `len` bytes, if it is a piece. Returns `None` otherwise, and a datagram if a
    /// frame is complete.
    pub(super) fn accept(
        &mut self,
        slot: &mut Slot,
        len: usize,
        limit: usize,
    ) -> Result<Option<ReadResult>, RecvError> {
        let head = Head::parse(slot.bytes());
        if let (Some(Ok(Head::First { number, total })), None) = (head, self.assembly()) {
            // The frames of a bundle are checked one by one when they are received.
            let limit = match is_bundle(slot.bytes().get(HEAD_LEN..).unwrap_or_default()) {
                true => limit.max(MAX_BUNDLE),
                false => limit,
            };
            let budget = self.budget.as_ref();
            let begun = Assembly::begin(slot.take_spare(), number, total, limit, budget);
            let begun = begun.inspect_err(|_| self.state = State::REFUSED)?;
            self.state = State::Assembling(Box::new(begun));
        }
        if let State::Assembling(assembly) = &self.state {
            let total = assembly.total;
            return match assembly.expects(slot.bytes(), len) {
                Ok(true) => {
                    let added = self.add(slot, HEAD_LEN, len);
                    if total >= MIN_TRIMMED {
                        slot.trim();
                    }
                    added.map(Some)
                }
                Ok(false) => Ok(None),
                Err(fault) => Err(self.refuse(fault)),
            };
        }
        let Some(Ok(Head::Next { offset, .. })) = head else { return Ok(None) };
        match &mut self.state {
            State::Discarding { count, .. } if *count < MAX_DISCARDED - 1 => {
                *count += 1;
                slot.clear_ancillary();
                Ok(Some(ReadResult::Piece))
            }
            _ => Err(self.refuse(FragmentFault::Orphan { offset })),
        }
    }

    /// Adds a piece of `len` bytes, whose last bytes are in `slot` from `start` on. Moves the frame to `slot` if it
    /// is complete.
    fn add(&mut self, slot: &mut Slot, start: usize, len: usize) -> Result<ReadResult, RecvError> {
        let State::Assembling(assembly) = &mut self.state else { return Ok(ReadResult::Piece) };
        let added = assembly.add(slot.bytes().get(start..).unwrap_or_default(), len);
        let complete = added.map(|()| assembly.take_complete());
        let Some(frame) = complete.inspect_err(|_| self.lose())? else {
            // Only the last piece may have descriptors.
            slot.clear_ancillary();
            return Ok(ReadResult::Piece);
        };
        self.state = State::Idle;
        if let Some(kind) = kind_not_in_pieces(&frame) {
            slot.release();
            return Err(self.refuse(FragmentFault::Kind(kind)));
        }
        let len = frame.len();
        slot.put(frame);
        Ok(ReadResult::Datagram(len))
    }

    /// Returns whether a datagram that begins with `first` is a piece to discard.
    pub(super) fn discards(&self, first: &[u8]) -> bool {
        matches!(self.state, State::Discarding { .. })
            && matches!(Head::parse(first), Some(Ok(Head::Next { .. })))
    }

    /// Ends the frame under assembly. Returns an error if it is incomplete.
    pub(super) fn end(&mut self) -> Option<RecvError> {
        match mem::replace(&mut self.state, State::Idle) {
            State::Assembling(assembly) => Some(assembly.into_error()),
            State::Idle | State::Discarding { .. } => None,
        }
    }

    /// Refuses a datagram, its frame, and the further pieces of that frame.
    #[cold]
    pub(super) fn refuse(&mut self, fault: FragmentFault) -> RecvError {
        self.state = State::REFUSED;
        RecvError::BadFragment(fault)
    }

    /// Discards the frame under assembly, for which there is no memory, and its further pieces.
    #[cold]
    fn lose(&mut self) {
        let begun = self.assembly().and_then(|assembly| CallHead::split(&assembly.bytes));
        let lost = begun.map(|(head, _)| Box::new(head));
        self.state = State::Discarding { count: 0, lost };
    }

    /// Takes the head of the part of a call that is being discarded, if there was no memory for the part.
    pub(super) fn take_lost(&mut self) -> Option<Box<CallHead>> {
        match &mut self.state {
            State::Discarding { lost, .. } => lost.take(),
            State::Idle | State::Assembling(_) => None,
        }
    }

    /// Discards the frame under assembly, and its further pieces.
    pub(super) fn discard_rest(&mut self) {
        if self.assembly().is_some() {
            self.state = State::REFUSED;
        }
    }

    /// Returns the frame under assembly as one first piece.
    pub(super) fn into_piece(self) -> Option<Vec<u8>> {
        match self.state {
            State::Assembling(assembly) => Some(assembly.into_piece()),
            State::Idle | State::Discarding { .. } => None,
        }
    }
}
