//! What a datagram is, and which frame comes next.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;
use std::os::fd::AsFd as _;

use super::assembly::{Assembly, Verdict};
use super::bundle::Bundle;
use super::feed::{Fed, Feed, Large};
use super::memory;
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
    /// How many pieces of refused frames have been dropped.
    dropped: u32,
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
            dropped: 0,
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
            let frame = match self.next(fd, limits, wait)? {
                Some(Fed::Datagram(len)) => self.sort(fd, len, limits)?,
                Some(Fed::Piece) => self.complete(fd, limits)?,
                None => return Ok(None),
            };
            if frame.is_some() {
                return Ok(frame);
            }
            rounds += 1;
            if rounds >= MAX_ROUNDS && wait != Wait::Block {
                self.check_rounds()?;
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
                && self.to_be_dropped(&peeked.head, peeked.len).is_none()
            {
                return Ok(Some(self.frame_len(&peeked.head, peeked.len)));
            }
            // A piece of a frame that was refused, an empty datagram, the end, or a kernel that cannot
            // peek: a read takes the first two, and tells about the others.
            match self.feed.read(fd, limits, false)? {
                Some(Fed::Datagram(0)) => self.empty(fd)?,
                Some(Fed::Datagram(len)) => match self.to_be_dropped(self.feed.slot.bytes(), len) {
                    Some(offset) => self.drop_piece(offset)?,
                    None => self.hold(len),
                },
                Some(Fed::Piece) | None => {}
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
        if let Large::Gathering(assembly) = mem::replace(&mut self.feed.large, Large::None) {
            unread.extend(assembly.into_piece());
        }
        unread.extend(self.restored);
        unread
    }

    /// What comes next: `None` at the end.
    #[inline]
    fn next(
        &mut self,
        fd: &DatagramFd,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<Fed>, RecvError> {
        if self.held.is_some() || self.ended || !self.restored.is_empty() {
            return Ok(self.next_without_read());
        }
        self.feed.next(fd, limits, wait).map(Some)
    }

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
            Some(&first) if !is_reserved(first) && matches!(self.feed.large, Large::None) => {
                self.check_len(len, limits)?;
                Ok(Some(0..len))
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
        let bytes = self.feed.slot.bytes();
        let head = head_of(bytes);
        if let Large::Gathering(assembly) = &mut self.feed.large {
            match assembly.judge(head, len, assembly.received()) {
                Verdict::Piece => {
                    assembly.add(bytes.get(HEAD_LEN..).unwrap_or_default())?;
                    return self.complete(fd, limits);
                }
                Verdict::Fault(fault) if assembly.received() > 0 => return self.refuse(fault),
                Verdict::Fault(_) | Verdict::Foreign => {}
            }
        }
        if let Some(incomplete) = self.give_up() {
            self.hold(len);
            return Err(incomplete);
        }
        let bytes = self.feed.slot.bytes();
        if !bytes.first().is_some_and(|&first| is_reserved(first)) {
            self.feed.large = Large::None;
            return self.sort(fd, len, limits);
        }
        if len < HEAD_LEN {
            return self.refuse(FragmentFault::Short { len });
        }
        match Head::from_bytes(head) {
            Ok(Head::First { number, total }) if fd.kind().is_connection() => {
                self.begin(number, total, len, limits)?;
                self.complete(fd, limits)
            }
            Ok(Head::Next { offset, .. }) if fd.kind().is_connection() => {
                self.drop_piece(offset).map(|()| None)
            }
            Ok(Head::Memory { total }) if fd.kind() == Kind::UnixDatagram => {
                self.receive_memory(total, len, limits).map(Some)
            }
            Ok(Head::Bundle { count }) => self.open_bundle(count, len, limits).map(Some),
            Ok(head) => self.refuse(FragmentFault::Kind(head.kind())),
            Err(kind) => self.refuse(FragmentFault::Kind(kind)),
        }
    }

    /// Begins a frame with the first piece, which is in the slot.
    fn begin(
        &mut self,
        number: u32,
        total: u64,
        len: usize,
        limits: Limits,
    ) -> Result<(), RecvError> {
        self.feed.large = Large::Dropping;
        let memory = self.feed.slot.take_spare();
        let bytes = self.feed.slot.bytes();
        let mut assembly = Assembly::begin(memory, number, total, limits.frame_len)?;
        let head = bytes.first_chunk().copied().unwrap_or_default();
        if let Verdict::Fault(fault) = assembly.judge(head, len, 0) {
            return Err(RecvError::BadFragment(fault));
        }
        assembly.add(bytes.get(HEAD_LEN..).unwrap_or_default())?;
        self.feed.large = Large::Gathering(Box::new(assembly));
        Ok(())
    }

    /// Puts the frame under assembly into the slot once its last piece has come, and looks at it as if it
    /// had come in one datagram.
    #[cold]
    fn complete(
        &mut self,
        fd: &DatagramFd,
        limits: Limits,
    ) -> Result<Option<Range<usize>>, RecvError> {
        let Large::Gathering(assembly) = &mut self.feed.large else { return Ok(None) };
        let Some(frame) = assembly.take_complete() else {
            // Descriptors come with the last piece: others are closed.
            self.take_descriptors();
            return Ok(None);
        };
        self.feed.large = Large::None;
        if let [0, kind @ 1..=3, ..] = *frame {
            return self.refuse(FragmentFault::Kind(kind));
        }
        let len = frame.len();
        self.feed.slot.put(frame);
        self.sort(fd, len, limits)
    }

    /// Where a datagram of `len` bytes that begins with `first` is in its frame, if it is a further piece
    /// of one that was refused.
    fn to_be_dropped(&self, first: &[u8], len: usize) -> Option<u64> {
        match (Head::from_bytes(head_of(first)), &self.feed.large) {
            (Ok(Head::Next { offset, .. }), Large::Dropping)
                if len >= HEAD_LEN && first.first().is_some_and(|&first| is_reserved(first)) =>
            {
                Some(offset)
            }
            _ => None,
        }
    }

    /// Drops a further piece of a frame that was refused, or never begun.
    fn drop_piece(&mut self, offset: u64) -> Result<(), RecvError> {
        self.dropped = self.dropped.wrapping_add(1);
        self.take_descriptors();
        match self.feed.large {
            // Told once in a while, so that a peer cannot hold a call with them.
            Large::Dropping if !self.dropped.is_multiple_of(MAX_ROUNDS) => Ok(()),
            _ => self.refuse(FragmentFault::Orphan { offset }),
        }
    }

    fn receive_memory(
        &mut self,
        total: u64,
        len: usize,
        limits: Limits,
    ) -> Result<Range<usize>, RecvError> {
        if len > HEAD_LEN {
            return self.refuse(FragmentFault::Long { len });
        }
        let buffer = self.feed.slot.take_spare();
        let mut none = Vec::new();
        let ancillary = self.feed.ancillary.as_mut();
        let descriptors = ancillary.map_or(&mut none, |ancillary| &mut ancillary.descriptors);
        let frame = memory::read_frame(total, descriptors, buffer, limits.frame_len)?;
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
        self.feed.large = Large::None;
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
        self.give_up().map_or(Ok(()), Err)
    }

    /// Gives up the frame under assembly. The error for that, if any of it has come.
    fn give_up(&mut self) -> Option<RecvError> {
        match mem::replace(&mut self.feed.large, Large::None) {
            Large::Gathering(assembly) => assembly.into_error(),
            other => {
                self.feed.large = other;
                None
            }
        }
    }

    /// Refuses a datagram, and the frame and the further pieces that it belongs to.
    #[cold]
    fn refuse<T>(&mut self, fault: FragmentFault) -> Result<T, RecvError> {
        self.feed.large = Large::Dropping;
        self.take_descriptors();
        Err(RecvError::BadFragment(fault))
    }

    #[inline]
    fn check_len(&mut self, len: usize, limits: Limits) -> Result<(), RecvError> {
        let here = self.feed.slot.bytes().len();
        if len <= limits.frame_len && len == here {
            return Ok(());
        }
        self.take_descriptors();
        match len > limits.frame_len {
            true => Err(RecvError::TooLarge { len, limit: limits.frame_len }),
            // A lane that is too short, where address space is.
            false => Err(RecvError::NoMemory { len }),
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
        if let Large::Gathering(_) = self.feed.large {
            self.feed.large = Large::Dropping;
        }
        Err(RecvError::DescriptorsLost { received, limit })
    }

    /// An error where a frame comes in so many small pieces that a call has read its share of them.
    #[cold]
    fn check_rounds(&self) -> Result<(), RecvError> {
        let Large::Gathering(assembly) = &self.feed.large else { return Ok(()) };
        let (received, total) = (assembly.received(), assembly.total());
        Err(RecvError::Unfinished { received, total })
    }

    /// How long the frame is that a datagram of `len` bytes belongs to, of which `first` are the first.
    fn frame_len(&self, first: &[u8], len: usize) -> usize {
        let Some(&head) =
            first.first_chunk().filter(|head| is_reserved(head[0]) && len >= HEAD_LEN)
        else {
            return len;
        };
        let total = match (Head::from_bytes(head), &self.feed.large) {
            (Ok(Head::First { total, .. } | Head::Memory { total }), _) => Some(total),
            (Ok(Head::Next { .. }), Large::Gathering(assembly)) => Some(assembly.total() as u64),
            (Ok(Head::Bundle { .. }), _) => {
                first.get(HEAD_LEN..).and_then(read_frame_len).map(|(len, _)| len)
            }
            _ => None,
        };
        total.map_or(len, |total| usize::try_from(total).unwrap_or(usize::MAX))
    }
}

/// The first bytes of a datagram, which may have fewer.
fn head_of(bytes: &[u8]) -> [u8; HEAD_LEN] {
    let mut head = [0; HEAD_LEN];
    for (to, from) in head.iter_mut().zip(bytes) {
        *to = *from;
    }
    head
}
