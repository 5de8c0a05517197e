//! Sends parts of calls over a connection that many threads share.

use std::sync::{PoisonError, TryLockError};

use crate::backlog::{Datagram, HeldFrame};
use crate::calls::memory::Memory;
use crate::calls::queue::{Locked, Queue, Queued};
use crate::calls::ready::Ready;
use crate::calls::sink::Sink;
use crate::calls::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::calls::sync::{Mutex, MutexGuard};
use crate::calls::unsent::Unsent;
use crate::error::SendError;
use crate::message::Message;
use crate::outbox;
use crate::sender::Sender;
use crate::sys::Kind;
use crate::wire::CallHead;

/// Senders wait while more than this many bytes are queued: enough to fill a socket.
const MAX_QUEUED: usize = 256 * 1024;

/// A sender that many threads share. While one thread sends, or while the socket is full, parts of other threads are
/// queued, and later travel in few datagrams. No method waits for room.
///
/// The outlet also contains the calls of the connection, behind the same lock: queuing a request and beginning its call
/// is one step, and so is queuing an answer and ending its call.
#[derive(Debug)]
pub(crate) struct Outlet<C> {
    kind: Kind,
    writer: Mutex<Writer>,
    queue: Mutex<Queue<C>>,
    /// Whether the last datagram had several parts.
    is_shared: AtomicBool,
    /// How many bytes were ever queued. Descriptors count as bytes, too. Changed only with `queue` locked, so it needs
    /// no atomic addition, which costs more.
    queued: AtomicU64,
    /// How many of these bytes were sent, or could not be sent.
    sent: AtomicU64,
}

#[derive(Debug)]
struct Writer {
    sink: Sink,
    /// The datagram that had no room, or only for some of its pieces.
    current: Option<Datagram>,
    /// Whether some of its pieces were sent.
    is_begun: bool,
}

impl<C: Default> Outlet<C> {
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
            queue: Mutex::default(),
            is_shared: AtomicBool::new(false),
            queued: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }
}

impl<C> Outlet<C> {
    /// Locks the calls and the queue.
    #[inline]
    pub(crate) fn lock(&self) -> Locked<'_, C> {
        Locked::new(self.queue(), &self.queued)
    }

    /// Encodes a part of a call, and passes it to `queue`.
    ///
    /// # Errors
    ///
    /// [`SendError::Encode`], [`SendError::NoDescriptors`], [`SendError::TooManyDescriptors`]; [`SendError::Io`] if
    /// there is no memory for a large frame.
    #[inline]
    pub(crate) fn encode<M: Message, T>(
        &self,
        head: CallHead,
        message: &M,
        queue: impl FnOnce(Ready<'_>) -> T,
    ) -> Result<T, SendError> {
        outbox::send_part(head, message, |part| Ready::new(part, self.kind).map(queue))
    }

    /// Queues a part of a call. Fails like [`encode`](Self::encode).
    pub(crate) fn push<M: Message>(
        &self,
        head: CallHead,
        message: &M,
    ) -> Result<Queued, SendError> {
        self.encode(head, message, |part| self.lock().push(part))
    }

    /// Queues an ordinary frame, without a head. Fails like [`encode`](Self::encode).
    pub(crate) fn push_frame<M: Message>(&self, message: &M) -> Result<Queued, SendError> {
        let mut queued = Queued::default();
        outbox::send(message, |part| {
            queued = self.lock().push(Ready::new(part, self.kind)?);
            Ok(())
        })?;
        Ok(queued)
    }

    /// Encodes a part of a call, to be queued later. Fails like [`encode`](Self::encode).
    pub(crate) fn hold<M: Message>(
        &self,
        head: CallHead,
        message: &M,
    ) -> Result<HeldFrame, SendError> {
        outbox::send_part(head, message, |part| Ready::hold(part, self.kind))
    }

    /// Returns whether senders must wait, because too much is queued.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.unsent() > MAX_QUEUED
    }

    /// Sends the queued parts as far as there is room. Returns whether everything was sent, or whether another thread
    /// is sending and the queue is not too long. The other thread sends later parts, too, but only that thread learns
    /// that there is no room: see [`flush_to`](Self::flush_to).
    ///
    /// Calls `not_sent` for each datagram that could not be sent, with the error. `not_sent` must not wake anything: a
    /// woken task may send, and this thread has the writer locked.
    pub(crate) fn flush(&self, not_sent: impl FnMut(Unsent)) -> bool {
        if self.unsent() == 0 {
            return true;
        }
        match self.writer.try_lock() {
            Ok(writer) => self.send_queued(writer, not_sent),
            Err(TryLockError::Poisoned(writer)) => self.send_queued(writer.into_inner(), not_sent),
            // The other thread does not wait for room, so this one soon gets the writer.
            Err(TryLockError::WouldBlock) if self.is_full() => {
                self.send_queued(self.writer(), not_sent)
            }
            Err(TryLockError::WouldBlock) => true,
        }
    }

    /// Does the same as [`flush`](Self::flush), but returns `true` only after the first `end` bytes were sent. This is
    /// for a thread that then sleeps: perhaps no other thread would send its part.
    pub(crate) fn flush_to(&self, end: u64, not_sent: impl FnMut(Unsent)) -> bool {
        match self.sent() < end {
            // A thread that holds the writer does not wait for room, so this one soon gets it.
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
                            // The kernel refuses, or lacks memory. The peer would wait for the lost parts.
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
    /// unlocks the writer before the queue, so that a thread that queues a part afterwards finds the writer free.
    fn next<'w>(&self, mut writer: MutexGuard<'w, Writer>) -> Option<MutexGuard<'w, Writer>> {
        let mut used = Vec::new();
        if let Some(datagram) = writer.current.take() {
            let (count, room, buffer) = datagram.into_parts();
            self.is_shared.store(count > 1, Ordering::Relaxed);
            // A thread that sees these bytes counted also sees what `not_sent` noted.
            self.sent.fetch_add(room as u64, Ordering::Release);
            used = buffer;
        }
        let mut queue = self.queue();
        let unused = queue.backlog.keep_bundle(used);
        writer.current = queue.backlog.pop();
        writer.is_begun = false;
        let writer = match writer.current.is_some() {
            true => Some(writer),
            false => {
                drop(writer);
                None
            }
        };
        drop(queue);
        // Large memory is freed without the lock.
        drop(unused);
        writer
    }

    /// Returns whether the last datagram had several parts, so that waiting for more parts is worthwhile.
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
    fn queue(&self) -> MutexGuard<'_, Queue<C>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
