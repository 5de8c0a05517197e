//! Tracks the frame under assembly, and assigns datagrams to it.

use std::mem;

use super::assembly::{Assembly, Verdict};
use super::slot::Slot;
use crate::budget::Budget;
use crate::error::{FragmentFault, RecvError};
use crate::sys::Scatter;
use crate::wire::{HEAD_LEN, Head};

/// The number of discarded pieces after which a receive reports an error again. A peer thus cannot block a call
/// with pieces of refused frames.
const MAX_DISCARDED: usize = 1024;

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
    /// A frame was refused, and its further pieces are discarded: so many since the last error.
    Discarding {
        count: usize,
    },
}

impl State {
    const REFUSED: Self = Self::Discarding { count: 0 };
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

    /// Begins a frame in `memory` if `head` is that of a first piece, and no frame is under assembly.
    #[inline]
    pub(super) fn begin_if_first(
        &mut self,
        head: Option<Result<Head, u8>>,
        limit: usize,
        memory: impl FnOnce() -> Vec<u8>,
    ) -> Result<(), RecvError> {
        if let Some(Ok(Head::First { number, total })) = head
            && self.assembly().is_none()
        {
            let budget = self.budget.as_ref();
            let assembly = Assembly::begin(memory(), number, total, limit, budget)?;
            self.state = State::Assembling(Box::new(assembly));
        }
        Ok(())
    }

    /// Makes room for the next piece of the frame under assembly, if there is one.
    pub(super) fn make_room(&mut self) -> Result<(), RecvError> {
        let State::Assembling(assembly) = &mut self.state else { return Ok(()) };
        assembly.make_room().inspect_err(|_| self.state = State::REFUSED)
    }

    /// Ends a frame that began with a peek, if its first piece was not read: another holder of the socket may
    /// have it, and nothing else may come for long.
    pub(super) fn end_if_nothing_arrived(&mut self) {
        if self.assembly().is_some_and(|assembly| assembly.received() == 0) {
            self.state = State::Idle;
        }
    }

    /// Returns the room for the next piece of the frame under assembly, if there is one.
    pub(super) fn scatter<'b>(&'b mut self, head: &'b mut [u8; HEAD_LEN]) -> Option<Scatter<'b>> {
        let State::Assembling(assembly) = &mut self.state else { return None };
        Some(assembly.scatter(head))
    }

    /// Judges a datagram of `len` bytes that a read has scattered to `head`, to the room for the next piece, and
    /// to the lane in `slot`. Returns `true` if it is that piece. Otherwise moves the whole datagram to `slot`.
    pub(super) fn accept_scattered(
        &mut self,
        slot: &mut Slot,
        head: &[u8; HEAD_LEN],
        len: usize,
    ) -> Result<bool, RecvError> {
        let State::Assembling(assembly) = &mut self.state else { return Ok(false) };
        let head = head.get(..len).unwrap_or(head);
        if assembly.judge(head, len) == Verdict::Piece {
            return self.add(slot.bytes(), len);
        }
        let datagram = [head, &assembly.take_written(), slot.bytes()].concat();
        slot.put(datagram);
        self.end_if_nothing_arrived();
        Ok(false)
    }

    /// Adds the datagram in `slot`, of `len` bytes, if it is a piece. Returns `false` otherwise.
    pub(super) fn accept(
        &mut self,
        slot: &mut Slot,
        len: usize,
        limit: usize,
    ) -> Result<bool, RecvError> {
        let head = Head::parse(slot.bytes());
        let begun = self.begin_if_first(head, limit, || slot.take_spare());
        begun.inspect_err(|_| self.state = State::REFUSED)?;
        if let State::Assembling(assembly) = &self.state {
            return match assembly.judge(slot.bytes(), len) {
                Verdict::Piece => self.add(slot.bytes().get(HEAD_LEN..).unwrap_or_default(), len),
                Verdict::Fault(fault) => Err(self.refuse(fault)),
                Verdict::Foreign => Ok(false),
            };
        }
        let Some(Ok(Head::Next { offset, .. })) = head else { return Ok(false) };
        match &mut self.state {
            State::Discarding { count } if *count < MAX_DISCARDED - 1 => {
                *count += 1;
                Ok(true)
            }
            _ => Err(self.refuse(FragmentFault::Orphan { offset })),
        }
    }

    /// Adds a piece to the frame under assembly, and refuses the frame if that fails.
    fn add(&mut self, bytes: &[u8], len: usize) -> Result<bool, RecvError> {
        let State::Assembling(assembly) = &mut self.state else { return Ok(false) };
        let added = assembly.add(bytes, len);
        added.map(|()| true).inspect_err(|_| self.state = State::REFUSED)
    }

    /// Takes the frame under assembly, if it is complete.
    pub(super) fn take_complete(&mut self) -> Result<Option<Vec<u8>>, RecvError> {
        let State::Assembling(assembly) = &mut self.state else { return Ok(None) };
        let Some(frame) = assembly.take_complete() else { return Ok(None) };
        self.state = State::Idle;
        match *frame {
            [0, kind @ 1..=3, ..] => Err(self.refuse(FragmentFault::Kind(kind))),
            _ => Ok(Some(frame)),
        }
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
