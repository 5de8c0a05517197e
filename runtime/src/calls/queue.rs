//! The queue of parts, and the calls that they belong to.

use std::io::IoSlice;
use std::ops::{Deref, DerefMut};

use crate::backlog::Backlog;
use crate::calls::ready::Ready;
use crate::calls::sync::MutexGuard;
use crate::calls::sync::atomic::{AtomicU64, Ordering};
use crate::wire::{CallHead, HEAD_LEN};

/// A queued part: its size, and its position in the queue.
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
    /// Whether the queue was empty. The caller that queues the first part must make sure that the queue is sent. Other
    /// callers may rely on that.
    pub(crate) is_first: bool,
}

/// The parts to send, and the calls of the connection.
#[derive(Debug, Default)]
pub(super) struct Queue<C> {
    pub(super) backlog: Backlog,
    calls: C,
}

/// The locked queue. Dereferences to the calls.
#[derive(Debug)]
pub(crate) struct Locked<'o, C> {
    queue: MutexGuard<'o, Queue<C>>,
    /// How many bytes were ever queued.
    queued: &'o AtomicU64,
}

impl<'o, C> Locked<'o, C> {
    #[inline]
    pub(super) fn new(queue: MutexGuard<'o, Queue<C>>, queued: &'o AtomicU64) -> Self {
        Self { queue, queued }
    }

    /// Queues a part.
    #[inline]
    pub(crate) fn push(&mut self, part: Ready<'_>) -> Queued {
        match part {
            Ready::Small { slices, len } => self.add(len, |backlog| backlog.push(slices, len)),
            Ready::Held(held) => {
                let (len, is_alone) = (held.len(), held.is_alone());
                let queued = self.add(held.room(), |backlog| drop(backlog.push_held(held)));
                Queued { len, is_alone, ..queued }
            }
        }
    }

    /// Queues a part without a message. Returns whether the queue was empty: see [`Queued::is_first`].
    pub(crate) fn push_head(&mut self, head: CallHead) -> bool {
        let bytes = head.to_bytes();
        self.add(HEAD_LEN, |backlog| backlog.push(&[IoSlice::new(&bytes)], HEAD_LEN)).is_first
    }

    /// Adds a part that takes `room` bytes in the queue.
    #[inline]
    fn add(&mut self, room: usize, push: impl FnOnce(&mut Backlog)) -> Queued {
        let backlog = &mut self.queue.backlog;
        let is_first = backlog.is_empty();
        push(backlog);
        let end = self.queued.load(Ordering::Relaxed) + room as u64;
        self.queued.store(end, Ordering::Relaxed);
        Queued { len: room, room, end, is_alone: false, is_first }
    }
}

impl<C> Deref for Locked<'_, C> {
    type Target = C;

    #[inline]
    fn deref(&self) -> &C {
        &self.queue.calls
    }
}

impl<C> DerefMut for Locked<'_, C> {
    #[inline]
    fn deref_mut(&mut self) -> &mut C {
        &mut self.queue.calls
    }
}
