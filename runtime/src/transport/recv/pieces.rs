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

/// What arrived.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReadResult {
    /// A datagram of this length, in the slot: 0 for an empty one, and at the end.
    Datagram(usize),
    /// A piece, now in its place in the frame under assembly.
    Piece,
    /// The last piece. The frame, of this length, is in the slot.
    LastPiece(usize),
}

/// What a first piece announces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Announced {
    number: u32,
    /// The length of the frame, or of the bundle.
    total: u64,
    is_bundle: bool,
}

impl Announced {
    /// Parses the first bytes of a datagram. `None` if it is no first piece.
    #[inline]
    pub(super) fn parse(first: &[u8]) -> Option<Self> {
        match Head::parse(first)? {
            Ok(Head::First { number, total }) => {
                let is_bundle = is_bundle(first.get(HEAD_LEN..).unwrap_or_default());
                Some(Self { number, total, is_bundle })
            }
            _ => None,
        }
    }
}

/// The frame under assembly, if there is one.
#[derive(Debug)]
pub(super) struct Pieces {
    state: State,
    /// What frames under assembly may take, over all receivers that share it.
    budget: Option<Budget>,
}

#[derive(Debug)]
enum State {
    Idle,
    /// Some bytes have arrived, except between a peek and the read after it.
    Assembling(Box<Assembly>),
    /// A frame was refused, and its further pieces are discarded.
    Discarding {
        /// How many were discarded since the last error.
        count: usize,
        /// The head of the part of a call that the frame is, if there was no memory for it. Boxed, as it is rare.
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

    /// Begins a frame in `memory` if its first piece announces it, and no frame is under assembly.
    #[inline]
    pub(super) fn begin_if_first(
        &mut self,
        announced: Option<Announced>,
        limit: usize,
        memory: impl FnOnce() -> Vec<u8>,
    ) -> Result<(), RecvError> {
        if let Some(Announced { number, total, is_bundle }) = announced
            && self.assembly().is_none()
        {
            // Each of its frames is checked when it is received.
            let limit = if is_bundle { limit.max(MAX_BUNDLE) } else { limit };
            let budget = self.budget.as_ref();
            let assembly = Assembly::begin(memory(), number, total, limit, budget)?;
            self.state = State::Assembling(Box::new(assembly));
        }
        Ok(())
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
        let cap = cap(limit.max(assembly.total()));
        let mut head = [0; HEAD_LEN];
        let read = match assembly.scatter(&mut head) {
            Ok(scatter) => slot.read(fd, Some(scatter), cap, block),
            Err(error) => {
                self.lose();
                return Err(error);
            }
        };
        let Ok(Some(len)) = read else {
            self.end_if_nothing_arrived();
            return read.map(|_| None);
        };
        let head = head.get(..len).unwrap_or(&head);
        if assembly.expects(head, len) == Ok(true) {
            return self.add(slot, 0, len).map(Some);
        }
        let datagram = [head, &assembly.take_written(), slot.bytes()].concat();
        slot.put(datagram);
        self.end_if_nothing_arrived();
        Ok(Some(ReadResult::Datagram(len)))
    }

    /// Ends a frame that began with a peek, if its first piece was not read: another holder of the socket may
    /// have it, and nothing else may come for long.
    fn end_if_nothing_arrived(&mut self) {
        if self.assembly().is_some_and(|assembly| assembly.received() == 0) {
            self.state = State::Idle;
        }
    }

    /// Adds the datagram in `slot`, of `len` bytes, if it is a piece. Returns `None` otherwise.
    pub(super) fn accept(
        &mut self,
        slot: &mut Slot,
        len: usize,
        limit: usize,
    ) -> Result<Option<ReadResult>, RecvError> {
        let head = Head::parse(slot.bytes());
        let announced = Announced::parse(slot.bytes());
        let begun = self.begin_if_first(announced, limit, || slot.take_spare());
        begun.inspect_err(|_| self.state = State::REFUSED)?;
        if let State::Assembling(assembly) = &self.state {
            return match assembly.expects(slot.bytes(), len) {
                Ok(true) => self.add(slot, HEAD_LEN, len).map(Some),
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
        let frame = match added.map(|()| assembly.take_complete()) {
            Ok(Some(frame)) => frame,
            Ok(None) => {
                // Only the last piece may have descriptors.
                slot.clear_ancillary();
                return Ok(ReadResult::Piece);
            }
            Err(error) => {
                self.lose();
                return Err(error);
            }
        };
        self.state = State::Idle;
        if let Some(kind) = kind_not_in_pieces(&frame) {
            slot.release();
            return Err(self.refuse(FragmentFault::Kind(kind)));
        }
        let len = frame.len();
        slot.put(frame);
        Ok(ReadResult::LastPiece(len))
    }

    /// Returns whether a datagram that begins with `first` is a piece to discard.
    pub(super) fn discards(&self, first: &[u8]) -> bool {
        matches!(self.state, State::Discarding { .. })
            && matches!(Head::parse(first), Some(Ok(Head::Next { .. })))
    }

    /// Ends the frame under assembly. Returns an error if it is incomplete.
    pub(super) fn end(&mut self) -> Option<RecvError> {
        match mem::replace(&mut self.state, State::Idle) {
            State::Assembling(assembly) => assembly.into_error(),
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
        let begun = self.assembly().and_then(|assembly| CallHead::split(assembly.bytes()));
        let lost = begun.map(|(head, _)| Box::new(head));
        self.state = State::Discarding { count: 0, lost };
    }

    /// Takes the head of the part of a call that was discarded last, if there was no memory for it.
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
            State::Assembling(assembly) => assembly.into_piece(),
            State::Idle | State::Discarding { .. } => None,
        }
    }
}
