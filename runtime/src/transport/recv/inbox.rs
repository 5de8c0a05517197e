//! The receiving side of a socket: returns the next frame.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use super::assembly::Assembly;
use super::bundle::{BundleCursor, Calls};
use super::pieces::ReadResult;
use super::reader::Reader;
use crate::budget::Budget;
use crate::error::RecvError;
use crate::limits::Limits;
use crate::message::Descriptors;
use crate::sys::{Credentials, DatagramFd, Name};
use crate::wait::Wait;
use crate::wire::CallHead;

/// The most datagrams without a frame that a non-blocking call, or one with a deadline, reads. Then it fails
/// with `Unfinished`.
const MAX_ROUNDS: u32 = 1024;

/// The receiving side of a socket.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(super) reader: Reader,
    /// The rest of the bundle in the slot.
    pub(super) bundle: BundleCursor,
    /// Datagrams that were read, to return before those in the socket.
    unread: VecDeque<Unread>,
    /// `Some` if parts of calls are received like frames.
    pub(super) calls: Option<Box<Calls>>,
}

/// A datagram to classify later.
#[derive(Debug)]
struct Unread {
    bytes: Vec<u8>,
    /// Its full length: a datagram over the limit is read only in part.
    len: usize,
}

impl Inbox {
    /// Creates an inbox. `ancillary` asks for descriptors, addresses and credentials. `eager` waits in the read
    /// instead of the peek. `budget` bounds frames in pieces.
    pub(crate) fn new(ancillary: bool, eager: bool, budget: Option<Budget>) -> Self {
        Self {
            reader: Reader::new(ancillary, eager, budget),
            bundle: BundleCursor::default(),
            unread: VecDeque::new(),
            calls: None,
        }
    }

    /// Receives parts of calls like frames, from now on.
    pub(crate) fn accept_calls(&mut self) {
        self.calls = Some(Box::default());
    }

    /// Receives the next frame, and returns its range for [`bytes`](Self::bytes), or `None` at the end of a
    /// connection.
    #[inline]
    pub(crate) fn recv(
        &mut self,
        fd: &DatagramFd,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<Range<usize>>, RecvError> {
        if self.bundle.is_open() {
            return self.next_of_bundle(limits).map(Some);
        }
        let mut rounds = 0;
        loop {
            let read = match self.needs_no_read() {
                true => self.next_without_read(),
                false => Some(self.reader.next(fd, limits, wait)?),
            };
            let frame = match read {
                Some(ReadResult::Datagram(len) | ReadResult::LastPiece(len)) => {
                    self.classify(fd, len, limits)?
                }
                Some(ReadResult::Piece) => None,
                None => return Ok(None),
            };
            if frame.is_some() {
                return Ok(frame);
            }
            rounds += 1;
            if let Some(assembly) = self.reader.pieces.assembly()
                && rounds >= MAX_ROUNDS
                && wait != Wait::Block
            {
                let (received, total) = (assembly.received(), assembly.total());
                return Err(RecvError::Unfinished { received, total });
            }
        }
    }

    /// Sets whether the receiver, if it polls, does so until it finds nothing.
    pub(crate) fn set_awaited(&mut self, is_awaited: bool) {
        self.reader.is_awaited = is_awaited;
    }

    /// Returns whether something was read and not received: frames of a bundle, datagrams, or the end.
    #[inline]
    pub(crate) fn has_unread(&self) -> bool {
        self.bundle.is_open() || self.needs_no_read()
    }

    fn needs_no_read(&self) -> bool {
        self.reader.ended || !self.unread.is_empty()
    }

    /// Returns the bytes of the last received frame.
    #[inline]
    pub(crate) fn bytes(&self, frame: Range<usize>) -> &[u8] {
        self.reader.slot.bytes().get(frame).unwrap_or_default()
    }

    /// Returns the bytes of the last received frame as an owned vector.
    pub(crate) fn take_bytes(&mut self, frame: Range<usize>) -> Vec<u8> {
        match self.bundle.is_open() || frame.start > 0 {
            true => self.bytes(frame).to_vec(),
            false => self.reader.slot.take(),
        }
    }

    /// Returns the head of the part of a call that the last receive has refused, if it is known.
    pub(crate) fn take_refused(&mut self) -> Option<CallHead> {
        self.calls.as_mut()?.refused.take()
    }

    /// Returns the bytes of the last received part of a call, and how many of them are before the last `len`.
    /// They are in `buffer` if they fit there.
    pub(crate) fn take_part(
        &mut self,
        part: Range<usize>,
        len: usize,
        mut buffer: Vec<u8>,
    ) -> (Vec<u8>, usize) {
        // A copy leaves the lane to the next datagram.
        let is_in_lane = self.reader.slot.is_in_lane();
        match self.bundle.is_open() || part.start > 0 || is_in_lane || len <= buffer.capacity() {
            true => {
                buffer.clear();
                buffer.extend_from_slice(self.bytes(part.end - len..part.end));
                (buffer, 0)
            }
            false => (self.reader.slot.take(), part.end - len),
        }
    }

    /// Takes the descriptors of the last received frame.
    #[inline]
    pub(crate) fn take_descriptors(&mut self) -> Descriptors {
        let Some(ancillary) = &mut self.reader.slot.ancillary else {
            return Descriptors::default();
        };
        ancillary.truncated = false;
        mem::take(&mut ancillary.descriptors).into()
    }

    /// Returns the sender's name of the last received frame; unnamed on a connection.
    pub(crate) fn name(&self) -> Name {
        let ancillary = self.reader.slot.ancillary.as_ref();
        ancillary.map_or(Name::UNNAMED, |ancillary| ancillary.name)
    }

    /// Takes the sender's credentials of the last received frame, if the socket asks for them.
    pub(crate) fn take_credentials(&mut self) -> Option<Credentials> {
        let credentials = &mut self.reader.slot.ancillary.as_mut()?.credentials;
        match self.bundle.is_open() {
            true => credentials.as_ref().map(Credentials::duplicate),
            false => credentials.take(),
        }
    }

    /// Waits for the next frame, and returns its length without receiving it, or `None` at the end. The first
    /// piece of a large frame has its length.
    pub(crate) fn peek_len(
        &mut self,
        fd: &DatagramFd,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<usize>, RecvError> {
        loop {
            if self.bundle.is_open() {
                let next = self.bundle.find(self.reader.slot.bytes(), self.calls.is_some());
                return Ok(Some(next.map_err(RecvError::BadBundle)?.len()));
            }
            if let Some(Unread { bytes, len }) = self.unread.front() {
                return Ok(Some(self.frame_len(bytes, *len)));
            }
            if self.reader.ended {
                return Ok(None);
            }
            let peeked = self.reader.peek(fd, wait)?;
            if let Some(peeked) = peeked
                && !self.reader.pieces.discards(peeked.first())
            {
                return Ok(Some(self.frame_len(peeked.first(), peeked.len)));
            }
            // A piece of a refused frame, an empty datagram, the end, or a kernel that cannot peek: a read
            // drops the first two, and distinguishes the others.
            let Reader { slot, pieces, .. } = &mut self.reader;
            match pieces.read(slot, fd, limits, false)? {
                Some(ReadResult::Datagram(0)) => self.handle_empty(fd)?,
                Some(ReadResult::Datagram(len)) if pieces.discards(slot.bytes()) => {
                    self.accept_piece(len, limits)?;
                }
                Some(ReadResult::Datagram(len) | ReadResult::LastPiece(len)) => {
                    self.keep_unread(len);
                }
                Some(ReadResult::Piece) => return Ok(pieces.assembly().map(Assembly::total)),
                None => {}
            }
        }
    }

    /// Returns `datagrams` from the next receives, before anything still in the socket.
    pub(crate) fn restore(&mut self, datagrams: Vec<Vec<u8>>) {
        let datagrams = datagrams.into_iter().filter(|datagram| !datagram.is_empty());
        self.unread.extend(datagrams.map(|bytes| Unread { len: bytes.len(), bytes }));
    }

    /// Returns the datagrams that were read but not received: see [`restore`](Self::restore).
    pub(crate) fn into_unread(mut self) -> Vec<Vec<u8>> {
        let mut unread = Vec::new();
        while self.bundle.is_open() {
            let calls = self.calls.as_deref_mut();
            if let Ok(frame) = self.bundle.next(self.reader.slot.bytes(), usize::MAX, calls) {
                unread.push(self.bytes(frame).to_vec());
            }
        }
        unread.extend(self.reader.pieces.into_piece());
        // What was read only in part cannot be restored.
        let whole = self.unread.into_iter().filter(|unread| unread.len == unread.bytes.len());
        unread.extend(whole.map(|unread| unread.bytes));
        unread
    }

    /// Returns the next frame of the open bundle.
    #[inline]
    pub(super) fn next_of_bundle(&mut self, limits: Limits) -> Result<Range<usize>, RecvError> {
        let Self { reader, bundle, calls, .. } = self;
        bundle.next(reader.slot.bytes(), limits.frame_len, calls.as_deref_mut())
    }

    /// Returns the next datagram that needs no read, or `None` at the end.
    #[cold]
    fn next_without_read(&mut self) -> Option<ReadResult> {
        let Some(Unread { bytes, len }) = self.unread.pop_front() else {
            self.reader.slot.release();
            return None;
        };
        self.reader.slot.put(bytes);
        Some(ReadResult::Datagram(len))
    }

    /// Keeps the datagram in the slot, of full length `len`, for the next call.
    pub(super) fn keep_unread(&mut self, len: usize) {
        let bytes = self.reader.slot.take();
        self.unread.push_front(Unread { bytes, len });
    }
}
