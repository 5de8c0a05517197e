//! Receives the next frame, or peeks at its length.

use std::ops::Range;

use super::assembly::Assembly;
use super::inbox::{Inbox, Unread};
use super::pieces::ReadResult;
use crate::error::RecvError;
use crate::wait::Wait;
use crate::wire::{HEAD_LEN, Head, read_frame_len};

/// The most datagrams without a frame that a non-blocking call, or one with a deadline, reads. Then it fails
/// with `Unfinished`.
const MAX_ROUNDS: u32 = 1024;

impl Inbox {
    /// Receives the next frame, and returns its range for [`bytes`](Self::bytes), or `None` at the end of a
    /// connection.
    #[inline]
    pub(crate) fn recv(&mut self, wait: Wait) -> Result<Option<Range<usize>>, RecvError> {
        if self.bundle.is_open() {
            return self.next_of_bundle().map(Some);
        }
        let mut rounds = 0_u32;
        loop {
            let next = self.next_datagram(wait).inspect_err(|error| {
                if self.accepts_calls && matches!(error, RecvError::NoMemory { .. }) {
                    self.refused = self.pieces.take_lost();
                }
            });
            let frame = match next? {
                Some(ReadResult::Datagram(len)) => self.classify(len)?,
                Some(ReadResult::Piece) => None,
                None => return Ok(None),
            };
            if frame.is_some() {
                return Ok(frame);
            }
            rounds = rounds.saturating_add(1);
            if let Some(assembly) = self.pieces.assembly()
                && rounds >= MAX_ROUNDS
                && wait != Wait::Block
            {
                let Assembly { received, total, .. } = *assembly;
                return Err(RecvError::Unfinished { received, total });
            }
        }
    }

    /// Waits for the next frame, and returns its length without receiving it, or `None` at the end. The first
    /// piece of a large frame has its length.
    pub(crate) fn peek_len(&mut self, wait: Wait) -> Result<Option<usize>, RecvError> {
        loop {
            if self.bundle.is_open() {
                let next = self.bundle.find(self.slot.bytes(), self.accepts_calls);
                return Ok(Some(next.map_err(RecvError::BadBundle)?.len()));
            }
            if let Some(Unread { bytes, len }) = self.unread.front() {
                return Ok(Some(self.frame_len(bytes, *len)));
            }
            if self.ended {
                return Ok(None);
            }
            let peeked = self.peek(wait)?;
            if let Some(peeked) = peeked
                && !self.pieces.discards(peeked.first())
            {
                return Ok(Some(self.frame_len(peeked.first(), peeked.len)));
            }
            // A piece of a refused frame, an empty datagram, the end, or a kernel that cannot peek: a read
            // drops the first two, and distinguishes the others.
            match self.read(false)? {
                Some(ReadResult::Datagram(0)) => self.handle_empty()?,
                Some(ReadResult::Datagram(len)) if self.pieces.discards(self.slot.bytes()) => {
                    self.accept_piece(len)?;
                }
                Some(ReadResult::Datagram(len)) => self.keep_unread(len),
                Some(ReadResult::Piece) => {
                    return Ok(self.pieces.assembly().map(|assembly| assembly.total));
                }
                None => {}
            }
        }
    }

    /// Returns the length of the frame of a datagram of `len` bytes that begins with `first`.
    fn frame_len(&self, first: &[u8], len: usize) -> usize {
        let total = match Head::parse(first) {
            Some(Ok(Head::First { total, .. } | Head::Memory { total })) => Some(total),
            Some(Ok(Head::Next { .. })) => {
                self.pieces.assembly().map(|assembly| assembly.total as u64)
            }
            Some(Ok(Head::Bundle { .. })) => {
                first.get(HEAD_LEN..).and_then(read_frame_len).map(|(len, _)| len)
            }
            _ => None,
        };
        total.map_or(len, |total| usize::try_from(total).unwrap_or(usize::MAX))
    }
}
