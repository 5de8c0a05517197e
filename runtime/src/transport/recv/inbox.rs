//! What a datagram is, and which frame comes next.

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
use crate::sys::{self, Credentials, DatagramFd, Ending, Kind, Name};
use crate::wait::Wait;
use crate::wire::{HEAD_LEN, Head, MAX_BUNDLE, is_reserved, read_frame_len};

/// How many datagrams one call reads at most that bring no frame, where it does not wait or has a
/// deadline. Then it says so.
const MAX_ROUNDS: u32 = 1024;

/// The receiving side of a socket.
#[derive(Debug)]
pub(crate) struct Inbox {
    feed: Feed,
    /// What is left of the bundle in the slot.
    bundle: Bundle,
    /// Datagrams that were read before this inbox was made: they come first.
    restored: VecDeque<Vec<u8>>,
    /// The real length of the datagram in the slot, if that has not been looked at.
    held: Option<usize>,
    ended: bool,
}

impl Inbox {
    /// An inbox that asks for what is beside datagrams (`ancillary`), or not, and that waits in the read
    /// itself (`eager`), or in the peek.
    pub(crate) fn new(ancillary: bool, eager: bool) -> Self {
        Self {
            feed: Feed::new(ancillary, eager),
            bundle: Bundle::default(),
            restored: VecDeque::new(),
            held: None,
            ended: false,
        }
    }

    /// Receives the next frame, and says where it is: see [`bytes`](Self::bytes). `None` at the end of a
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

    /// The bytes of the frame that was received last.
    #[inline]
    pub(crate) fn bytes(&self, frame: Range<usize>) -> &[u8] {
        self.feed.slot.bytes().get(frame).unwrap_or_default()
    }

    /// Takes the bytes of the frame that was received last, in memory of their own.
    pub(crate) fn take_bytes(&mut self, frame: Range<usize>) -> Vec<u8> {
        match self.bundle.is_open() || frame.start > 0 {
            true => self.bytes(frame).to_vec(),
            false => self.feed.slot.take(),
        }
    }

    /// Takes the descriptors that came with the frame that was received last.
    #[inline]
    pub(crate) fn take_descriptors(&mut self) -> Descriptors {
        let ancillary = self.feed.ancillary.as_mut();
        let descriptors = ancillary.map(|ancillary| mem::take(&mut ancillary.descriptors));
        descriptors.unwrap_or_default().into()
    }

    /// Where the frame came from that was received last: unnamed on a connection.
    pub(crate) fn name(&self) -> Name {
        let ancillary = self.feed.ancillary.as_ref();
        ancillary.map_or(Name::UNNAMED, |ancillary| ancillary.name)
    }

    /// Takes what the kernel says of the sender of that frame, if it was asked.
    pub(crate) fn take_credentials(&mut self) -> Option<Credentials> {
        let credentials = &mut self.feed.ancillary.as_mut()?.credentials;
        match self.bundle.is_open() {
            true => credentials.as_ref().map(Credentials::duplicate),
            false => credentials.take(),
        }
    }

    /// Waits for the next frame, and tells its length without receiving it; `None` at the end. Of a large
    /// frame, its first piece tells the length.
    pub(crate) fn peek_len(
        &mut self,
        fd: &DatagramFd,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<usize>, RecvError> {
        loop {
            if self.bundle.is_open() {
                let next = self.bundle.find(self.feed.slot.bytes());
                return Ok(Some(next.map_err(RecvError::BadBundle)?.len()));
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
            // A piece of a frame that was refused, an empty datagram, the end, or a kernel that cannot
            // peek: a read takes the first two, and tells about the others.
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

    /// Has `datagrams` received before anything that is still in the socket.
    pub(crate) fn restore(&mut self, datagrams: Vec<Vec<u8>>) {
        self.restored.extend(datagrams.into_iter().filter(|datagram| !datagram.is_empty()));
    }

    /// The datagrams that have been read, and not received: see [`restore`](Self::restore).
    pub(crate) fn into_unread(mut self) -> Vec<Vec<u8>> {
        let mut unread = Vec::new();
        // Of one that is over the limit, not all is here.
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

    /// What comes before anything in the socket: `None` at the end.
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

    /// Keeps the datagram in the slot, whose real length is `len`, to be looked at by the next call.
    fn hold(&mut self, len: usize) {
        self.feed.slot.keep();
        self.held = Some(len);
    }

    /// After a piece has come: keeps the frame under assembly, if it is complete, to be looked at by the next
    /// call. Otherwise returns how long it will be.
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

    /// Looks at the datagram in the slot, whose real length is `len`. Returns the frame that it is, or
    /// that it brings to completion.
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

    /// Looks at a datagram that is the runtime's own, or that comes where a piece is expected.
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

    /// Takes the datagram in the slot, if it is a piece, without the descriptors beside it if it is refused.
    fn take_piece(&mut self, len: usize, limits: Limits) -> Result<bool, RecvError> {
        let Feed { slot, pieces, .. } = &mut self.feed;
        let taken = pieces.take(slot, len, limits.frame_len);
        taken.inspect_err(|_| _ = self.take_descriptors())
    }

    /// Puts the frame under assembly into the slot once its last piece has come, and looks at it as if it
    /// had come in one datagram.
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
                // Descriptors come with the last piece: others are closed.
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

    /// An empty datagram has come, or the end.
    #[cold]
    fn empty(&mut self, fd: &DatagramFd) -> Result<(), RecvError> {
        self.take_descriptors();
        match fd.kind() {
            // An empty datagram arrives there as nothing.
            Kind::VsockSeqpacket => {}
            Kind::UnixSeqpacket => match sys::ending(fd)? {
                Ending::Open => return Err(RecvError::Empty),
                Ending::Queued => return Ok(()),
                Ending::Drained => {}
            },
            // A read that waits is told of a shutdown in the same way, once nothing is queued.
            _ if sys::ending(fd)? != Ending::Open
                && matches!(self.feed.peek(fd, Wait::Try), Err(RecvError::Shutdown)) =>
            {
                return Err(RecvError::Shutdown);
            }
            _ => return Err(RecvError::Empty),
        }
        self.ended = true;
        self.feed.pieces.end().map_or(Ok(()), Err)
    }

    /// The error for a frame of `len` bytes that cannot be returned.
    #[cold]
    fn too_long(&mut self, len: usize, limits: Limits) -> RecvError {
        self.take_descriptors();
        match len > limits.frame_len {
            true => RecvError::TooLarge { len, limit: limits.frame_len },
            // The lane is too short, as address space is.
            false => RecvError::NoMemory { len },
        }
    }

    /// An error if descriptors came that this process could not be given.
    #[cold]
    fn check_descriptors(&mut self, fd: &DatagramFd) -> Result<(), RecvError> {
        let Some(ancillary) = self.feed.ancillary.as_mut() else { return Ok(()) };
        if !mem::take(&mut ancillary.truncated) {
            return Ok(());
        }
        // Asked while those that came are still open, and count.
        let limit = sys::open_file_limit(fd.as_fd());
        let received = mem::take(&mut ancillary.descriptors).len();
        self.feed.pieces.drop_rest();
        Err(RecvError::DescriptorsLost { received, limit })
    }

    /// How long the frame is that a datagram of `len` bytes belongs to, of which `first` are the first.
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
