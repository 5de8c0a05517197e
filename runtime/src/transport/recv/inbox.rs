//! Classifies datagrams, and returns the next frame.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;
use std::os::fd::AsFd as _;

use super::assembly::Assembly;
use super::bundle::Bundle;
use super::feed::{Fed, Feed};
use super::memory;
use super::pieces::head;
use crate::error::{BundleFault, FragmentFault, RecvError};
use crate::limits::Limits;
use crate::message::Descriptors;
use crate::sys::{self, Credentials, DatagramFd, Kind, Name, RecvState};
use crate::wait::Wait;
use crate::wire::{HEAD_LEN, Head, MAX_BUNDLE, is_reserved, read_frame_len};

/// The most datagrams without a frame that a non-blocking call, or one with a deadline, reads. Then it fails
/// with `Unfinished`.
const MAX_ROUNDS: u32 = 1024;

/// The receiving side of a socket.
#[derive(Debug)]
pub(crate) struct Inbox {
    feed: Feed,
    /// The rest of the bundle in the slot.
    bundle: Bundle,
    /// Datagrams read by an earlier inbox. They come before those in the socket.
    restored: VecDeque<Vec<u8>>,
    /// The full length of the datagram in the slot, if it is not classified yet.
    held: Option<usize>,
    ended: bool,
}

impl Inbox {
    /// Creates an inbox. `ancillary` asks for descriptors, addresses and credentials. `eager` waits in the read
    /// instead of the peek.
    pub(crate) fn new(ancillary: bool, eager: bool) -> Self {
        Self {
            feed: Feed::new(ancillary, eager),
            bundle: Bundle::default(),
            restored: VecDeque::new(),
            held: None,
            ended: false,
        }
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
            return self.bundle.next(self.feed.slot.bytes(), limits.frame_len).map(Some);
        }
        let mut rounds = 0;
        loop {
            let fed = match self.held.is_some() || self.ended || !self.restored.is_empty() {
                true => self.next_without_read(),
                false => Some(self.feed.next(fd, limits, wait)?),
            };
            let frame = match fed {
                Some(Fed::Datagram(len)) => self.sort(fd, len, limits)?,
                Some(Fed::Piece) => self.complete(fd, limits)?,
                None => return Ok(None),
            };
            if frame.is_some() {
                return Ok(frame);
            }
            rounds += 1;
            if let Some(assembly) = self.feed.pieces.assembly()
                && rounds >= MAX_ROUNDS
                && wait != Wait::Block
            {
                let (received, total) = (assembly.received(), assembly.total());
                return Err(RecvError::Unfinished { received, total });
            }
        }
    }

    /// Returns the bytes of the last received frame.
    #[inline]
    pub(crate) fn bytes(&self, frame: Range<usize>) -> &[u8] {
        self.feed.slot.bytes().get(frame).unwrap_or_default()
    }

    /// Returns the bytes of the last received frame as an owned vector.
    pub(crate) fn take_bytes(&mut self, frame: Range<usize>) -> Vec<u8> {
        match self.bundle.is_open() || frame.start > 0 {
            true => self.bytes(frame).to_vec(),
            false => self.feed.slot.take(),
        }
    }

    /// Takes the descriptors of the last received frame.
    #[inline]
    pub(crate) fn take_descriptors(&mut self) -> Descriptors {
        let Some(ancillary) = &mut self.feed.ancillary else { return Descriptors::default() };
        ancillary.truncated = false;
        mem::take(&mut ancillary.descriptors).into()
    }

    /// Returns the sender's name of the last received frame; unnamed on a connection.
    pub(crate) fn name(&self) -> Name {
        let ancillary = self.feed.ancillary.as_ref();
        ancillary.map_or(Name::UNNAMED, |ancillary| ancillary.name)
    }

    /// Takes the sender's credentials of the last received frame, if the socket asks for them.
    pub(crate) fn take_credentials(&mut self) -> Option<Credentials> {
        let credentials = &mut self.feed.ancillary.as_mut()?.credentials;
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
                return Ok(Some(self.bundle.peek(self.feed.slot.bytes())?.len()));
            }
            if let Some(len) = self.held {
                return Ok(Some(self.frame_len(self.feed.slot.bytes(), len)));
            }
            if let Some(datagram) = self.restored.front() {
                return Ok(Some(self.frame_len(datagram, datagram.len())));
            }
            if self.ended {
                return Ok(None);
            }
            let peeked = self.feed.peek(fd, wait)?;
            if let Some(peeked) = peeked
                && !self.feed.pieces.drops(&peeked.head, peeked.len)
            {
                return Ok(Some(self.frame_len(&peeked.head, peeked.len)));
            }
            // A piece of a refused frame, an empty datagram, the end, or a kernel that cannot peek: a read
            // drops the first two, and distinguishes the others.
            match self.feed.read(fd, limits, false)? {
                Some(Fed::Datagram(0)) => self.empty(fd)?,
                Some(Fed::Datagram(len)) if self.feed.pieces.drops(self.feed.slot.bytes(), len) => {
                    self.take_piece(len, limits)?;
                }
                Some(Fed::Datagram(len)) => self.hold(len),
                Some(Fed::Piece) => {
                    if let Some(total) = self.hold_complete()? {
                        return Ok(Some(total));
                    }
                }
                None => {}
            }
        }
    }

    /// Returns `datagrams` from the next receives, before anything still in the socket.
    pub(crate) fn restore(&mut self, datagrams: Vec<Vec<u8>>) {
        self.restored.extend(datagrams.into_iter().filter(|datagram| !datagram.is_empty()));
    }

    /// Returns the datagrams that were read but not received: see [`restore`](Self::restore).
    pub(crate) fn into_unread(mut self) -> Vec<Vec<u8>> {
        let mut unread = Vec::new();
        // A datagram over the limit was read only in part.
        if self.held == Some(self.feed.slot.bytes().len()) {
            unread.push(self.feed.slot.bytes().to_vec());
        }
        while self.bundle.is_open() {
            if let Ok(frame) = self.bundle.next(self.feed.slot.bytes(), usize::MAX) {
                unread.push(self.bytes(frame).to_vec());
            }
        }
        unread.extend(self.feed.pieces.into_piece());
        unread.extend(self.restored);
        unread
    }

    /// Returns the next datagram that needs no read, or `None` at the end.
    #[cold]
    fn next_without_read(&mut self) -> Option<Fed> {
        if let Some(len) = self.held.take() {
            return Some(Fed::Datagram(len));
        }
        if let Some(restored) = self.restored.pop_front() {
            let len = restored.len();
            self.feed.slot.put(restored);
            return Some(Fed::Datagram(len));
        }
        self.feed.slot.release();
        None
    }

    /// Keeps the datagram in the slot, of full length `len`, for the next call.
    fn hold(&mut self, len: usize) {
        self.feed.slot.keep();
        self.held = Some(len);
    }

    /// Keeps the frame under assembly for the next call, if the piece that just came completed it. Otherwise
    /// returns how long the frame will be.
    fn hold_complete(&mut self) -> Result<Option<usize>, RecvError> {
        match self.feed.pieces.take_complete() {
            Ok(Some(frame)) => {
                let len = frame.len();
                self.feed.slot.put(frame);
                self.hold(len);
                Ok(None)
            }
            incomplete => {
                self.take_descriptors();
                incomplete.map(|_| self.feed.pieces.assembly().map(Assembly::total))
            }
        }
    }

    /// Classifies the datagram in the slot, of full length `len`. Returns the frame that it holds or
    /// completes.
    #[inline]
    fn sort(
        &mut self,
        fd: &DatagramFd,
        len: usize,
        limits: Limits,
    ) -> Result<Option<Range<usize>>, RecvError> {
        if self.feed.ancillary.is_some() {
            self.check_descriptors(fd)?;
        }
        let bytes = self.feed.slot.bytes();
        match bytes.first() {
            Some(&first) if !is_reserved(first) && self.feed.pieces.is_idle() => {
                if len <= limits.frame_len && len == bytes.len() {
                    return Ok(Some(0..len));
                }
                Err(self.too_long(len, limits))
            }
            Some(_) => self.sort_other(fd, len, limits),
            None => self.empty(fd).map(|()| None),
        }
    }

    /// Classifies a datagram with tag 0, or one that arrives where a piece is expected.
    #[cold]
    fn sort_other(
        &mut self,
        fd: &DatagramFd,
        len: usize,
        limits: Limits,
    ) -> Result<Option<Range<usize>>, RecvError> {
        if fd.kind().is_connection() && self.take_piece(len, limits)? {
            return self.complete(fd, limits);
        }
        if let Some(incomplete) = self.feed.pieces.end() {
            self.hold(len);
            return Err(incomplete);
        }
        let bytes = self.feed.slot.bytes();
        let fault = match head(bytes) {
            None if bytes.first().is_some_and(|&first| is_reserved(first)) => {
                FragmentFault::Short { len }
            }
            None => return self.sort(fd, len, limits),
            Some(Ok(Head::Memory { total })) if fd.kind() == Kind::UnixDatagram => {
                return self.receive_memory(total, len, limits).map(Some);
            }
            Some(Ok(Head::Bundle { count })) => {
                return self.open_bundle(count, len, limits).map(Some);
            }
            Some(Ok(head)) => FragmentFault::Kind(head.kind()),
            Some(Err(kind)) => FragmentFault::Kind(kind),
        };
        self.take_descriptors();
        Err(self.feed.pieces.refuse(fault))
    }

    /// Adds the datagram in the slot to the frame under assembly, if it is a piece. Closes its descriptors if it
    /// is refused.
    fn take_piece(&mut self, len: usize, limits: Limits) -> Result<bool, RecvError> {
        let Feed { slot, pieces, .. } = &mut self.feed;
        let taken = pieces.take(slot, len, limits.frame_len);
        taken.inspect_err(|_| _ = self.take_descriptors())
    }

    /// Moves a complete frame into the slot, and classifies it like one datagram.
    #[cold]
    fn complete(
        &mut self,
        fd: &DatagramFd,
        limits: Limits,
    ) -> Result<Option<Range<usize>>, RecvError> {
        match self.feed.pieces.take_complete() {
            Ok(Some(frame)) => {
                let len = frame.len();
                self.feed.slot.put(frame);
                self.sort(fd, len, limits)
            }
            incomplete => {
                // Only the last piece may have descriptors: close others.
                self.take_descriptors();
                incomplete.map(|_| None)
            }
        }
    }

    fn receive_memory(
        &mut self,
        total: u64,
        len: usize,
        limits: Limits,
    ) -> Result<Range<usize>, RecvError> {
        if len > HEAD_LEN {
            return Err(self.feed.pieces.refuse(FragmentFault::Long { len }));
        }
        let buffer = self.feed.slot.take_spare();
        let mut none = Vec::new();
        let ancillary = self.feed.ancillary.as_mut();
        let descriptors = ancillary.map_or(&mut none, |ancillary| &mut ancillary.descriptors);
        let frame = memory::read_frame(total, descriptors, buffer, limits.frame_len);
        let frame = frame.inspect_err(|_| _ = self.take_descriptors())?;
        let len = frame.len();
        self.feed.slot.put(frame);
        Ok(0..len)
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
                self.bundle = Bundle::new(count);
                return self.bundle.next(self.feed.slot.bytes(), limits.frame_len);
            }
        };
        Err(RecvError::BadBundle(fault))
    }

    /// Handles a read of 0 bytes: an empty datagram, or the end.
    #[cold]
    fn empty(&mut self, fd: &DatagramFd) -> Result<(), RecvError> {
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
                && matches!(self.feed.peek(fd, Wait::Try), Err(RecvError::Shutdown)) =>
            {
                return Err(RecvError::Shutdown);
            }
            _ => return Err(RecvError::Empty),
        }
        self.ended = true;
        self.feed.pieces.end().map_or(Ok(()), Err)
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

    /// Fails if the kernel could not install some descriptors.
    #[cold]
    fn check_descriptors(&mut self, fd: &DatagramFd) -> Result<(), RecvError> {
        let Some(ancillary) = self.feed.ancillary.as_mut() else { return Ok(()) };
        if !mem::take(&mut ancillary.truncated) {
            return Ok(());
        }
        // Ask while the installed descriptors are open, because they count.
        let limit = sys::open_file_limit(fd.as_fd());
        let received = mem::take(&mut ancillary.descriptors).len();
        self.feed.pieces.drop_rest();
        Err(RecvError::DescriptorsLost { received, limit })
    }

    /// Returns the length of the frame of a datagram of `len` bytes that begins with `first`.
    fn frame_len(&self, first: &[u8], len: usize) -> usize {
        let total = match head(first).filter(|_| len >= HEAD_LEN) {
            Some(Ok(Head::First { total, .. } | Head::Memory { total })) => Some(total),
            Some(Ok(Head::Next { .. })) => {
                self.feed.pieces.assembly().map(|assembly| assembly.total() as u64)
            }
            Some(Ok(Head::Bundle { .. })) => {
                first.get(HEAD_LEN..).and_then(read_frame_len).map(|(len, _)| len)
            }
            _ => None,
        };
        total.map_or(len, |total| usize::try_from(total).unwrap_or(usize::MAX))
    }
}
