//! The parts of calls that wait to be sent.

use std::io::IoSlice;
use std::ops::{Deref, DerefMut};

use crate::backlog::Backlog;
use crate::calls::ready::Ready;
use crate::calls::sync::MutexGuard;
use crate::calls::sync::atomic::{AtomicU64, Ordering};
use crate::wire::{CallHead, HEAD_LEN};

/// Where a part waits to be sent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Queued {
    /// Its length in bytes.
    pub(crate) len: usize,
    /// The bytes that it takes in the queue: descriptors take some, too.
    pub(crate) room: usize,
    /// How many bytes will have been sent once it is.
    pub(crate) end: u64,
    /// Whether it has a datagram of its own, and so may be refused without all others.
    pub(crate) is_alone: bool,
    /// Whether nothing else was queued. Whoever queues the first part has to see that what is queued is sent, and
    /// others may rely on it.
    pub(crate) is_first: bool,
}

/// What waits to be sent, and the calls of the connection.
#[derive(Debug, Default)]
pub(super) struct Queue<C> {
    pub(super) backlog: Backlog,
    calls: C,
}

/// The calls of a connection and its queue, locked.
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

    /// Queues a part without a message. Returns whether nothing else was queued: see [`Queued::is_first`].
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
