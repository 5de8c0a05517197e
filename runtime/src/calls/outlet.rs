//! Sends parts of calls over a connection that many threads share.

use std::io::IoSlice;
use std::sync::{PoisonError, TryLockError};

use crate::backlog::{Backlog, Datagram, HeldFrame};
use crate::bundle::Bundle;
use crate::calls::memory::Memory;
use crate::calls::sink::Sink;
use crate::calls::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::calls::sync::{Mutex, MutexGuard};
use crate::calls::unsent::Unsent;
use crate::error::SendError;
use crate::message::Message;
use crate::outbox;
use crate::sender::Sender;
use crate::sys::Kind;
use crate::transport::{Outgoing, check_descriptors};
use crate::wire::{CallHead, HEAD_LEN};

/// Senders wait while more than this many bytes are queued: enough to fill a socket.
const MAX_QUEUED: usize = 256 * 1024;

/// A sender that many threads share. While one thread sends, or while the socket is full, parts of other threads are
/// queued, and later travel in few datagrams. No method waits for room.
#[derive(Debug)]
pub(crate) struct Outlet {
    kind: Kind,
    writer: Mutex<Writer>,
    backlog: Mutex<Backlog>,
    /// Whether the last datagram had more than one part.
    is_shared: AtomicBool,
    /// How many bytes were ever queued. Descriptors count as bytes, too. Changed only with `backlog` locked, so it
    /// needs no atomic addition, which costs more.
    queued: AtomicU64,
    /// How many of these bytes were sent, or could not be sent.
    sent: AtomicU64,
}

/// The position of a part in the queue.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Queued {
    /// The length of the part, in bytes.
    pub(crate) len: usize,
    /// The bytes that the part takes in the queue. Descriptors count as bytes, too.
    pub(crate) room: usize,
    /// The count of sent bytes at which the part is sent.
    pub(crate) end: u64,
    /// Whether the part has a datagram of its own, and so can be refused alone.
    pub(crate) is_alone: bool,
    /// Whether nothing else was queued. The caller that queues the first part must make sure that the queue is sent.
    /// Other callers may rely on that.
    pub(crate) is_first: bool,
}

#[derive(Debug)]
struct Writer {
    sink: Sink,
    /// The datagram that had no room, or only for some of its pieces.
    current: Option<Datagram>,
    /// Whether some of its pieces were sent.
    is_begun: bool,
}

impl Outlet {
    pub(crate) fn new<Tx: Message>(sender: Sender<Tx>) -> Self {
        let kind = sender.fd().kind();
        Self::with_sink(kind, Sink::Socket(sender.cast()))
    }

    /// Creates an outlet that keeps the parts in memory.
    pub(crate) fn in_memory(memory: Memory) -> Self {
        Self::with_sink(Kind::UnixSeqpacket, Sink::Memory(memory))
    }

    fn with_sink(kind: Kind, sink: Sink) -> Self {
        Self {
            kind,
            writer: Mutex::new(Writer { sink, current: None, is_begun: false }),
            backlog: Mutex::default(),
            is_shared: AtomicBool::new(false),
            queued: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// Queues a part of a call, or an ordinary frame without a head. Returns its position in the queue.
    ///
    /// # Errors
    ///
    /// [`SendError::Encode`], [`SendError::NoDescriptors`], [`SendError::TooManyDescriptors`]; [`SendError::Io`] if
    /// there is no memory for a large frame.
    pub(crate) fn push<M: Message>(
        &self,
        head: Option<CallHead>,
        message: &M,
    ) -> Result<Queued, SendError> {
        let mut queued = Queued::default();
        let queue = |part: Outgoing<'_>| {
            queued = self.queue(part)?;
            Ok(())
        };
        match head {
            Some(head) => outbox::send_part(head, message, queue)?,
            None => _ = outbox::send(message, queue)?,
        }
        Ok(queued)
    }

    /// Encodes a part of a call, to be queued later. Fails like [`push`](Self::push).
    pub(crate) fn hold<M: Message>(
        &self,
        head: CallHead,
        message: &M,
    ) -> Result<HeldFrame, SendError> {
        outbox::send_part(head, message, |part| {
            self.check(&part)?;
            HeldFrame::copy(part, Vec::new())
        })
    }

    /// Queues a part without a message. Returns whether nothing else was queued: see [`Queued::is_first`].
    pub(crate) fn push_head(&self, head: CallHead) -> bool {
        let bytes = head.to_bytes();
        self.add(HEAD_LEN, |backlog| backlog.push(&[IoSlice::new(&bytes)], HEAD_LEN)).is_first
    }

    /// Queues a part that was encoded earlier. Returns whether nothing else was queued.
    pub(crate) fn push_held(&self, part: HeldFrame) -> bool {
        self.add(part.room(), |backlog| drop(backlog.push_held(part))).is_first
    }

    fn queue(&self, part: Outgoing<'_>) -> Result<Queued, SendError> {
        let len = part.len;
        self.check(&part)?;
        if Bundle::admits(len, part.descriptors.len()) {
            return Ok(self.add(len, |backlog| backlog.push(part.slices, len)));
        }
        let held = HeldFrame::copy(part, Vec::new())?;
        let queued = self.add(held.room(), |backlog| drop(backlog.push_held(held)));
        Ok(Queued { len, is_alone: true, ..queued })
    }

    /// Fails if the connection cannot carry the descriptors of `part`.
    #[inline]
    fn check(&self, part: &Outgoing<'_>) -> Result<(), SendError> {
        match part.descriptors.len() {
            0 => Ok(()),
            count => check_descriptors(self.kind, count),
        }
    }

    /// Adds a part that takes `room` bytes in the queue. Callers correct `len` and `is_alone` where they differ.
    #[inline]
    fn add(&self, room: usize, push: impl FnOnce(&mut Backlog)) -> Queued {
        let mut backlog = self.backlog();
        let is_first = backlog.is_empty();
        push(&mut backlog);
        let end = self.queued() + room as u64;
        self.queued.store(end, Ordering::Relaxed);
        Queued { len: room, room, end, is_alone: false, is_first }
    }

    /// Returns whether so much is queued that senders must wait.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.unsent() > MAX_QUEUED
    }

    /// Sends the queued parts as far as there is room. Returns whether everything was sent, or whether another thread
    /// is sending and the queue is not too long. The other thread sends later parts, too, but only that thread learns
    /// that there is no room: see [`flush_to`](Self::flush_to).
    ///
    /// `not_sent` is called for each datagram that could not be sent, with the error.
    pub(crate) fn flush(&self, not_sent: impl FnMut(Unsent)) -> bool {
        if self.unsent() == 0 {
            return true;
        }
        match self.writer.try_lock() {
            Ok(writer) => self.send_queued(writer, not_sent),
            Err(TryLockError::Poisoned(writer)) => self.send_queued(writer.into_inner(), not_sent),
            // Its holder does not wait for room.
            Err(TryLockError::WouldBlock) if self.is_full() => {
                self.send_queued(self.writer(), not_sent)
            }
            Err(TryLockError::WouldBlock) => true,
        }
    }

    /// Does the same as [`flush`](Self::flush), but returns `true` only after the first `end` bytes were sent. This is
    /// for a thread that then sleeps: perhaps no other thread sends its part.
    pub(crate) fn flush_to(&self, end: u64, not_sent: impl FnMut(Unsent)) -> bool {
        match self.sent() < end {
            // Its holder does not wait for room.
            true => self.send_queued(self.writer(), not_sent),
            false => self.flush(not_sent),
        }
    }

    /// Sends the queued parts as far as there is room. Returns whether everything was sent.
    fn send_queued(
        &self,
        mut writer: MutexGuard<'_, Writer>,
        mut not_sent: impl FnMut(Unsent),
    ) -> bool {
        loop {
            let Writer { sink, current, is_begun } = &mut *writer;
            if let Some(datagram) = current {
                match sink.send(datagram, is_begun) {
                    Ok(()) => {}
                    Err(SendError::WouldBlock { .. }) => return false,
                    Err(error) => {
                        let unsent = Unsent::new(datagram, error, self.sent());
                        if unsent.is_last && !unsent.error.is_fatal() {
                            // The kernel lacks memory, or refuses. The other side would wait for the lost parts.
                            sink.shutdown();
                        }
                        not_sent(unsent);
                    }
                }
            }
            match self.next(writer) {
                Some(next) => writer = next,
                None => return true,
            }
        }
    }

    /// Replaces the current datagram, which was sent or cannot be sent, with the next one. If there is no next one,
    /// unlocks the writer before the backlog, so that a thread that queues a part afterwards finds the writer free.
    fn next<'w>(&self, mut writer: MutexGuard<'w, Writer>) -> Option<MutexGuard<'w, Writer>> {
        let mut used = Vec::new();
        if let Some(datagram) = writer.current.take() {
            let (count, room, buffer) = datagram.into_parts();
            self.is_shared.store(count > 1, Ordering::Relaxed);
            // A thread that sees these bytes counted also sees what `not_sent` noted.
            self.sent.fetch_add(room as u64, Ordering::Release);
            used = buffer;
        }
        let mut backlog = self.backlog();
        let unused = backlog.keep_bundle(used);
        writer.current = backlog.pop();
        writer.is_begun = false;
        let writer = match writer.current.is_some() {
            true => Some(writer),
            false => {
                drop(writer);
                None
            }
        };
        drop(backlog);
        // Large memory is freed without the lock.
        drop(unused);
        writer
    }

    /// Returns whether the last datagram had more than one part, so that it is worth waiting for others.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared.load(Ordering::Relaxed)
    }

    /// Returns how many bytes are queued and not sent. A datagram that was sent in part counts with its whole length.
    #[inline]
    pub(crate) fn unsent(&self) -> usize {
        let sent = self.sent();
        let unsent = self.queued().saturating_sub(sent);
        usize::try_from(unsent).unwrap_or(usize::MAX)
    }

    /// Returns how many bytes were ever queued.
    #[inline]
    pub(crate) fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    /// Returns how many bytes were sent, or could not be sent.
    #[inline]
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }

    #[inline]
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
