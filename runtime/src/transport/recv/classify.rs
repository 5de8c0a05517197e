//! Classifies datagrams by their first byte, and handles each class.

use std::ops::Range;
use std::os::fd::AsFd as _;

use super::assembly::Assembly;
use super::bundle::BundleCursor;
use super::inbox::Inbox;
use super::memory;
use super::pieces::ReadResult;
use super::reader::Reader;
use crate::error::{BundleFault, FragmentFault, RecvError};
use crate::limits::Limits;
use crate::sys::{self, DatagramFd, Kind, RecvState};
use crate::wait::Wait;
use crate::wire::{CallHead, HEAD_LEN, Head, MAX_BUNDLE, is_reserved, read_frame_len};

impl Inbox {
    /// Classifies the datagram in the slot, of full length `len`. Returns the frame that it holds or
    /// completes.
    #[inline]
    pub(super) fn classify(
        &mut self,
        fd: &DatagramFd,
        len: usize,
        limits: Limits,
    ) -> Result<Option<Range<usize>>, RecvError> {
        if self.reader.slot.ancillary.as_ref().is_some_and(|ancillary| ancillary.truncated) {
            return Err(self.descriptors_lost(fd));
        }
        let bytes = self.reader.slot.bytes();
        match bytes.first() {
            Some(&first) if !is_reserved(first) && self.reader.pieces.is_idle() => {
                if len <= limits.frame_len && len == bytes.len() {
                    return Ok(Some(0..len));
                }
                Err(self.too_long(len, limits))
            }
            Some(_) if self.is_whole_part(len, limits) => Ok(Some(0..len)),
            Some(_) => self.classify_slow(fd, len, limits),
            None => self.handle_empty(fd).map(|()| None),
        }
    }

    /// Returns whether the slot holds a datagram of `len` bytes that is a whole part of a call, where no piece is
    /// expected.
    #[inline]
    fn is_whole_part(&self, len: usize, limits: Limits) -> bool {
        let bytes = self.reader.slot.bytes();
        self.calls.is_some()
            && self.reader.pieces.is_idle()
            // The limit is that of the frame.
            && len.saturating_sub(HEAD_LEN) <= limits.frame_len
            && len == bytes.len()
            && CallHead::split(bytes).is_some()
    }

    /// Classifies a datagram with tag 0, or one that arrives where a piece is expected.
    #[cold]
    fn classify_slow(
        &mut self,
        fd: &DatagramFd,
        len: usize,
        limits: Limits,
    ) -> Result<Option<Range<usize>>, RecvError> {
        if fd.kind().is_connection() {
            match self.accept_piece(len, limits)? {
                Some(ReadResult::LastPiece(len)) => return self.classify(fd, len, limits),
                Some(_) => return Ok(None),
                None => {}
            }
        }
        let begun = self.part_head();
        if let Some(incomplete) = self.reader.pieces.end() {
            self.note_refused(begun);
            self.keep_unread(len);
            return Err(incomplete);
        }
        let bytes = self.reader.slot.bytes();
        let fault = match Head::parse(bytes) {
            None if bytes.first().is_some_and(|&first| is_reserved(first)) => {
                FragmentFault::Short { len }
            }
            None => return self.classify(fd, len, limits),
            Some(Ok(Head::Memory { total })) if fd.kind() == Kind::UnixDatagram => {
                if len == HEAD_LEN {
                    let frame = memory::read_frame(&mut self.reader.slot, total, limits.frame_len);
                    return frame.map(Some).inspect_err(|_| _ = self.take_descriptors());
                }
                FragmentFault::Long { len }
            }
            Some(Ok(Head::Bundle { count })) => {
                return self.open_bundle(count, len, limits).map(Some);
            }
            Some(Ok(Head::Call(_))) if self.is_whole_part(len, limits) => return Ok(Some(0..len)),
            Some(Ok(Head::Call(head))) if self.calls.is_some() => {
                self.note_refused(Some(head));
                return Err(self.too_long(len.saturating_sub(HEAD_LEN), limits));
            }
            Some(Ok(head)) => FragmentFault::Kind(head.kind()),
            Some(Err(kind)) => FragmentFault::Kind(kind),
        };
        self.take_descriptors();
        Err(self.reader.pieces.refuse(fault))
    }

    /// Adds the datagram in the slot to the frame under assembly, if it is a piece. If it is refused, closes its
    /// descriptors, and drops it: nobody needs its memory, even if the caller does not receive again for long.
    pub(super) fn accept_piece(
        &mut self,
        len: usize,
        limits: Limits,
    ) -> Result<Option<ReadResult>, RecvError> {
        let part = self.part_head();
        let Reader { slot, pieces, .. } = &mut self.reader;
        let head_len = if part.is_some() { HEAD_LEN } else { 0 };
        let accepted = pieces.accept(slot, len, limits.frame_len.saturating_add(head_len));
        accepted.map_err(|error| {
            self.note_refused(part);
            self.reader.slot.release();
            self.take_descriptors();
            match error {
                RecvError::TooLarge { len, limit } => {
                    RecvError::TooLarge { len: len - head_len, limit: limit - head_len }
                }
                error => error,
            }
        })
    }

    /// Notes which part of a call is refused, if this receives calls.
    fn note_refused(&mut self, part: Option<CallHead>) {
        if let Some(calls) = &mut self.calls {
            calls.refused = part;
        }
    }

    /// Returns the head of the part of a call that is under assembly, or whose first piece is in the slot.
    fn part_head(&self) -> Option<CallHead> {
        self.calls.as_ref()?;
        let begun = self.reader.pieces.assembly().map(Assembly::bytes);
        let part = begun.filter(|bytes| !bytes.is_empty()).or_else(|| {
            let first = self.reader.slot.bytes();
            match Head::parse(first)? {
                Ok(Head::First { .. }) => first.get(HEAD_LEN..),
                _ => None,
            }
        })?;
        CallHead::split(part).map(|(head, _)| head)
    }

    fn open_bundle(
        &mut self,
        count: u64,
        len: usize,
        limits: Limits,
    ) -> Result<Range<usize>, RecvError> {
        let descriptors = self.take_descriptors().len();
        let fault = match len {
            _ if descriptors > 0 => BundleFault::Descriptors { count: descriptors },
            _ if len > MAX_BUNDLE => BundleFault::Long { len, max: MAX_BUNDLE },
            HEAD_LEN => BundleFault::Missing { missing: count.max(1) },
            _ if count == 0 => BundleFault::Trailing { left: len - HEAD_LEN },
            _ => {
                self.bundle = BundleCursor::new(count);
                return self.next_of_bundle(limits);
            }
        };
        Err(RecvError::BadBundle(fault))
    }

    /// Handles a read of 0 bytes: an empty datagram, or the end.
    #[cold]
    pub(super) fn handle_empty(&mut self, fd: &DatagramFd) -> Result<(), RecvError> {
        self.take_descriptors();
        match fd.kind() {
            // A vsock socket does not deliver empty datagrams.
            Kind::VsockSeqpacket => {}
            Kind::UnixSeqpacket => match sys::recv_state(fd)? {
                RecvState::Open => return Err(RecvError::Empty),
                RecvState::Queued => return Ok(()),
                RecvState::Drained => {}
            },
            // A blocking read also returns 0 after a shutdown, once the queue is empty.
            _ if sys::recv_state(fd)? != RecvState::Open
                && matches!(self.reader.peek(fd, Wait::Try), Err(RecvError::Shutdown)) =>
            {
                return Err(RecvError::Shutdown);
            }
            _ => return Err(RecvError::Empty),
        }
        self.reader.ended = true;
        let part = self.part_head();
        self.note_refused(part);
        self.reader.pieces.end().map_or(Ok(()), Err)
    }

    /// Returns the error for a frame of `len` bytes that is over the limit or was truncated.
    #[cold]
    fn too_long(&mut self, len: usize, limits: Limits) -> RecvError {
        self.take_descriptors();
        match len > limits.frame_len {
            true => RecvError::TooLarge { len, limit: limits.frame_len },
            // Address space was short, and so is the lane.
            false => RecvError::NoMemory { len },
        }
    }

    /// Returns the error for a datagram of which the kernel could not install some descriptors.
    #[cold]
    fn descriptors_lost(&mut self, fd: &DatagramFd) -> RecvError {
        // Ask while the installed descriptors are open, because they count.
        let limit = sys::open_file_limit(fd.as_fd());
        let received = self.take_descriptors().len();
        if self.calls.is_some() {
            let part = CallHead::split(self.reader.slot.bytes()).map(|(head, _)| head);
            let part = self.part_head().or(part);
            self.note_refused(part);
        }
        self.reader.pieces.discard_rest();
        RecvError::DescriptorsLost { received, limit }
    }

    /// Returns the length of the frame of a datagram of `len` bytes that begins with `first`.
    pub(super) fn frame_len(&self, first: &[u8], len: usize) -> usize {
        let total = match Head::parse(first) {
            Some(Ok(Head::First { total, .. } | Head::Memory { total })) => Some(total),
            Some(Ok(Head::Next { .. })) => {
                self.reader.pieces.assembly().map(|assembly| assembly.total() as u64)
            }
            Some(Ok(Head::Bundle { .. })) => {
                first.get(HEAD_LEN..).and_then(read_frame_len).map(|(len, _)| len)
            }
            _ => None,
        };
        total.map_or(len, |total| usize::try_from(total).unwrap_or(usize::MAX))
    }
}
