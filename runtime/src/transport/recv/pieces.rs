//! Tracks the frame under assembly, and assigns datagrams to it.

use std::mem;

use super::assembly::{Assembly, Verdict};
use super::slot::Slot;
use crate::budget::Budget;
use crate::error::{FragmentFault, RecvError};
use crate::sys::Scatter;
use crate::wire::{HEAD_LEN, Head, is_reserved};

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

    /// Begins a frame if a datagram that begins with `first` is a first piece, and the frame is not refused.
    #[inline]
    pub(super) fn begin_if_first(&mut self, first: &[u8], limit: usize) {
        if let Some(Ok(Head::First { number, total })) = parse_head(first) {
            self.begin(number, total, limit);
        }
    }

    #[cold]
    fn begin(&mut self, number: u32, total: u64, limit: usize) {
        let budget = self.budget.as_ref();
        if self.assembly().is_none()
            && let Ok(assembly) = Assembly::begin(Vec::new(), number, total, limit, budget)
        {
            self.state = State::Assembling(Box::new(assembly));
        }
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

    /// Returns the room for the next piece, and how many bytes of the frame precede it.
    pub(super) fn scatter<'b>(
        &'b mut self,
        head: &'b mut [u8; HEAD_LEN],
    ) -> Option<(Scatter<'b>, usize)> {
        let State::Assembling(assembly) = &mut self.state else { return None };
        let received = assembly.received();
        Some((assembly.scatter(head), received))
    }

    /// Judges a datagram of `len` bytes that a read has scattered to `first`, after the `received` bytes of the
    /// frame, and to the lane. Returns `true` if it is the next piece, now in its place. Otherwise moves the
    /// whole datagram to `slot`.
    pub(super) fn accept_scattered(
        &mut self,
        slot: &mut Slot,
        first: [u8; HEAD_LEN],
        len: usize,
        received: usize,
    ) -> Result<bool, RecvError> {
        let State::Assembling(assembly) = &mut self.state else { return Ok(false) };
        if assembly.judge(first, len, received) == Verdict::Piece {
            let added = assembly.add(slot.spilled(), received + len - HEAD_LEN);
            return added.map(|()| true).inspect_err(|_| self.state = State::REFUSED);
        }
        let after_head = assembly.split_off(received);
        let first = first.get(..len).unwrap_or(&first);
        let datagram = [first, &after_head, slot.spilled()].concat();
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
        let first = first_bytes(slot.bytes());
        if let State::Assembling(assembly) = &mut self.state {
            match assembly.judge(first, len, assembly.received()) {
                Verdict::Piece => {
                    let end = assembly.received() + len - HEAD_LEN;
                    let added = assembly.add(slot.bytes().get(HEAD_LEN..).unwrap_or_default(), end);
                    return added.map(|()| true).inspect_err(|_| self.state = State::REFUSED);
                }
                Verdict::Fault(fault) => return Err(self.refuse(fault)),
                Verdict::Foreign => return Ok(false),
            }
        }
        match parse_head(&first).filter(|_| len >= HEAD_LEN) {
            Some(Ok(Head::First { number, total })) => {
                self.state = State::REFUSED;
                let memory = slot.take_spare();
                let budget = self.budget.as_ref();
                let mut assembly = Assembly::begin(memory, number, total, limit, budget)?;
                if let Verdict::Fault(fault) = assembly.judge(first, len, 0) {
                    return Err(RecvError::BadFragment(fault));
                }
                let bytes = slot.bytes().get(HEAD_LEN..).unwrap_or_default();
                assembly.add(bytes, len - HEAD_LEN)?;
                self.state = State::Assembling(Box::new(assembly));
                Ok(true)
            }
            Some(Ok(Head::Next { offset, .. })) => match &mut self.state {
                State::Discarding { count } if *count < MAX_DISCARDED - 1 => {
                    *count += 1;
                    Ok(true)
                }
                _ => Err(self.refuse(FragmentFault::Orphan { offset })),
            },
            _ => Ok(false),
        }
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

    /// Returns whether a datagram of `len` bytes that begins with `first` is a piece to discard.
    pub(super) fn discards(&self, first: &[u8], len: usize) -> bool {
        let is_next = matches!(parse_head(first), Some(Ok(Head::Next { .. })));
        is_next && len >= HEAD_LEN && matches!(self.state, State::Discarding { .. })
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

/// Returns the first bytes of a datagram, padded with zeros.
fn first_bytes(bytes: &[u8]) -> [u8; HEAD_LEN] {
    let mut first = [0; HEAD_LEN];
    for (to, from) in first.iter_mut().zip(bytes) {
        *to = *from;
    }
    first
}

/// Returns the head of a datagram with tag 0, or its kind if that is unknown.
pub(super) fn parse_head(first: &[u8]) -> Option<Result<Head, u8>> {
    let is_own = first.first().is_some_and(|&first| is_reserved(first));
    first.first_chunk().filter(|_| is_own).map(|head| Head::from_bytes(*head))
}
