//! Classifies datagrams by their first byte, and handles each class.

use std::ops::Range;
use std::os::fd::AsFd as _;

use super::bundle::BundleCursor;
use super::inbox::Inbox;
use super::memory;
use super::pieces::ReadResult;
use super::slot::map_read;
use crate::error::{BundleFault, FragmentFault, RecvError};
use crate::sys::{self, Kind, RecvState};
use crate::wire::{CallHead, HEAD_LEN, Head, MAX_BUNDLE, is_frame};

impl Inbox {
    /// Classifies the datagram in the slot, of full length `len`. Returns the frame that it holds or completes, which
    /// is nearly always the whole datagram.
    #[inline]
    pub(super) fn classify(&mut self, len: usize) -> Result<Option<Range<usize>>, RecvError> {
        if self.slot.ancillary.as_ref().is_some_and(|ancillary| ancillary.truncated)
            && !self.pieces.discards(self.slot.bytes())
        {
            return Err(self.descriptors_lost());
        }
        let bytes = self.slot.bytes();
        let is_whole = len == bytes.len() && len <= self.limits.frame_len;
        match is_whole && self.pieces.is_idle() && is_frame(bytes, self.accepts_calls) {
            true => Ok(Some(0..len)),
            false => self.classify_slow(len),
        }
    }

    /// Returns the next frame of the open bundle.
    #[inline]
    pub(super) fn next_of_bundle(&mut self) -> Result<Range<usize>, RecvError> {
        let frame = self.bundle.next(self.slot.bytes(), self.accepts_calls)?;
        match frame.len() <= self.limits.frame_len {
            true => Ok(frame),
            false => self.check_len(frame),
        }
    }

    /// Returns `frame`, which is in the slot, if it is whole and within the limit. The head of a part of a call
    /// does not count.
    #[cold]
    fn check_len(&mut self, frame: Range<usize>) -> Result<Range<usize>, RecvError> {
        let bytes = self.slot.bytes();
        let part = CallHead::split(bytes.get(frame.start..).unwrap_or_default());
        let len = frame.len() - part.map_or(0, |_| HEAD_LEN);
        let limit = self.limits.frame_len;
        let error = match len > limit {
            true => RecvError::TooLarge { len, limit },
            // Address space was short, and so is the lane.
            false if frame.end > bytes.len() => RecvError::NoMemory { len },
            false => return Ok(frame),
        };
        self.refused = part.map(|(head, _)| Box::new(head));
        // The next frames of a bundle have the same sender.
        if !self.bundle.is_open() {
            self.slot.close_descriptors();
        }
        Err(error)
    }

    /// Classifies a datagram that is not a whole frame within the limit, or arrives where a piece is expected.
    #[cold]
    fn classify_slow(&mut self, len: usize) -> Result<Option<Range<usize>>, RecvError> {
        if self.slot.bytes().is_empty() {
            return self.handle_empty().map(|()| None);
        }
        let kind = self.fd.kind();
        if kind.is_connection() {
            match self.accept_piece(len)? {
                Some(ReadResult::Datagram(len)) => return self.classify(len),
                Some(ReadResult::Piece) => return Ok(None),
                None => {}
            }
        }
        let begun = self.part_head();
        if let Some(incomplete) = self.pieces.end() {
            self.refused = begun.map(Box::new);
            self.keep_unread(len);
            return Err(incomplete);
        }
        let bytes = self.slot.bytes();
        if is_frame(bytes, self.accepts_calls) {
            return self.check_len(0..len).map(Some);
        }
        let fault = match Head::parse(bytes) {
            None => FragmentFault::Short { len },
            Some(Ok(Head::Memory { .. })) if kind == Kind::UnixDatagram && len > HEAD_LEN => {
                FragmentFault::Long { len }
            }
            Some(Ok(Head::Memory { total })) if kind == Kind::UnixDatagram => {
                let limit = self.limits.frame_len;
                let frame = memory::read_frame(&mut self.slot, total, limit);
                return frame.map(Some).inspect_err(|_| self.slot.close_descriptors());
            }
            Some(Ok(Head::Bundle { count })) => return self.open_bundle(count, len).map(Some),
            Some(Ok(head)) => FragmentFault::Kind(head.kind()),
            Some(Err(kind)) => FragmentFault::Kind(kind),
        };
        self.slot.close_descriptors();
        Err(self.pieces.refuse(fault))
    }

    /// Adds the datagram in the slot to the frame under assembly, if it is a piece. If it is refused, drops it and
    /// closes its descriptors at once, because the caller may not receive again for long.
    pub(super) fn accept_piece(&mut self, len: usize) -> Result<Option<ReadResult>, RecvError> {
        let part = self.part_head();
        let head_len = part.map_or(0, |_| HEAD_LEN);
        let Self { slot, pieces, limits, .. } = self;
        let accepted = pieces.accept(slot, len, limits.frame_len.saturating_add(head_len));
        accepted.map_err(|error| {
            self.refused = self.pieces.take_lost().or(part.map(Box::new));
            self.slot.release();
            match error {
                RecvError::TooLarge { len, limit } => {
                    RecvError::TooLarge { len: len - head_len, limit: limit - head_len }
                }
                error => error,
            }
        })
    }

    /// Returns the head of the part of a call that is under assembly, or that the slot holds or begins.
    fn part_head(&self) -> Option<CallHead> {
        if !self.accepts_calls {
            return None;
        }
        let begun = self.pieces.assembly().map(|assembly| &*assembly.bytes);
        let slot = self.slot.bytes();
        let part = match (begun.unwrap_or_default(), Head::parse(slot)) {
            ([], Some(Ok(Head::First { .. }))) => slot.get(HEAD_LEN..)?,
            ([], _) => slot,
            (begun, _) => begun,
        };
        CallHead::split(part).map(|(head, _)| head)
    }

    fn open_bundle(&mut self, count: u64, len: usize) -> Result<Range<usize>, RecvError> {
        let descriptors = self.take_descriptors().len();
        let fault = match len {
            _ if descriptors > 0 => BundleFault::Descriptors { count: descriptors },
            _ if len > MAX_BUNDLE => BundleFault::Long { len, max: MAX_BUNDLE },
            HEAD_LEN => BundleFault::Missing { missing: count.max(1) },
            _ if count == 0 => BundleFault::Trailing { left: len - HEAD_LEN },
            _ => {
                self.bundle = BundleCursor::new(count);
                return self.next_of_bundle();
            }
        };
        Err(RecvError::BadBundle(fault))
    }

    /// Handles a read of 0 bytes: an empty datagram, or the end.
    #[cold]
    pub(super) fn handle_empty(&mut self) -> Result<(), RecvError> {
        self.slot.close_descriptors();
        let fd = &self.fd;
        match fd.kind() {
            // A vsock socket does not deliver empty datagrams.
            Kind::VsockSeqpacket => {}
            Kind::UnixSeqpacket => match sys::recv_state(fd)? {
                RecvState::Open => return Err(RecvError::Empty),
                RecvState::Queued => return Ok(()),
                RecvState::Drained => {}
            },
            // A blocking read also returns 0 after a shutdown, once the queue is empty.
            _ if sys::recv_state(fd)? == RecvState::Drained
                && matches!(map_read(fd, || sys::peek(fd, false)), Ok(None)) =>
            {
                self.slot.release();
                return Err(RecvError::Shutdown);
            }
            _ => return Err(RecvError::Empty),
        }
        self.ended = true;
        self.refused = self.part_head().map(Box::new);
        self.pieces.end().map_or(Ok(()), Err)
    }

    /// Returns the error for a datagram with descriptors that the kernel could not install.
    #[cold]
    fn descriptors_lost(&mut self) -> RecvError {
        // Ask while the installed descriptors are open, because they count.
        let limit = sys::open_file_limit(self.fd.as_fd());
        let received = self.take_descriptors().len();
        self.slot.close_descriptors();
        self.refused = self.part_head().map(Box::new);
        self.pieces.discard_rest();
        RecvError::DescriptorsLost { received, limit }
    }
}
