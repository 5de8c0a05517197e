//! The state that the handles and the driver of a queue share.

use std::io::IoSlice;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::waiters::{Place, Waiters};
use crate::backlog::{Backlog, Datagram, HeldFrame};
use crate::sys::Kind;

/// A queue. While its state is locked, no code makes a system call, and no task is woken or dropped, because the task
/// might use the queue.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) kind: Kind,
    pub(super) capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    phase: Phase,
    backlog: Backlog,
    waiters: Waiters,
    /// The driver's task, while it has nothing to send.
    driver: Option<Waker>,
    /// The room of the frames that are queued, or have it reserved, in bytes: see `backlog::room`.
    used: usize,
    /// How many messages were queued, and how many of them were sent.
    queued: u64,
    sent: u64,
}

/// The phase of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    /// The queue accepts messages and sends them.
    #[default]
    Open,
    /// The queue only sends the queued messages.
    Closing,
    /// The queue does nothing, because the driver is gone.
    Ended,
}

/// Work for after the state is unlocked: tasks to wake, and memory to free.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    wakers: Vec<Waker>,
    replaced: Option<Waker>,
    buffers: Vec<Vec<u8>>,
    backlog: Option<Backlog>,
    is_large: bool,
}

/// A message that was queued.
#[derive(Debug)]
#[must_use]
pub(super) struct Queued {
    number: u64,
    driver: Option<Waker>,
    /// Memory to free after the state is unlocked.
    _unused: Option<Vec<u8>>,
}

impl Queued {
    /// Wakes the driver if it waits. Returns the message's number.
    #[inline]
    pub(super) fn wake(self) -> u64 {
        self.driver.into_iter().for_each(Waker::wake);
        self.number
    }
}

impl Aftermath {
    /// Returns whether an empty queue keeps more memory than an idle one.
    pub(super) fn is_large(&self) -> bool {
        self.is_large
    }

    /// Wakes the tasks, and frees the memory. The lists keep their own memory.
    #[inline]
    fn settle(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
        self.replaced = None;
        self.buffers.clear();
        self.backlog = None;
    }
}

impl Shared {
    pub(super) fn new(kind: Kind, capacity: usize) -> Self {
        Self { kind, capacity, state: Mutex::default() }
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked, unless memory runs out.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the queue to new messages. `phase` says whether those queued are still sent.
    pub(super) fn close(&self, phase: Phase) {
        let mut aftermath = Aftermath::default();
        let mut state = self.lock();
        if state.phase == Phase::Ended {
            return;
        }
        state.phase = phase;
        state.waiters.take_wakers(&mut aftermath.wakers);
        aftermath.wakers.extend(state.driver.take());
        if phase == Phase::Ended {
            aftermath.backlog = Some(mem::take(&mut state.backlog));
            state.used = 0;
        }
        drop(state);
        aftermath.settle();
    }

    /// Removes the waiting call `key`. Calls behind it may then have room.
    pub(super) fn leave(&self, key: usize) {
        let mut aftermath = Aftermath::default();
        let mut state = self.lock();
        let (place, waker) = state.waiters.remove(key);
        aftermath.replaced = waker;
        if let Place::Admitted { room } = place {
            state.used = state.used.saturating_sub(room);
        }
        state.admit(self.capacity, &mut aftermath.wakers);
        drop(state);
        aftermath.settle();
    }

    /// Counts `done` as sent, and returns the next datagram to send. `None` if the queue is closed and empty.
    pub(super) fn poll_next(
        &self,
        cx: &Context<'_>,
        done: &mut Option<Datagram>,
        aftermath: &mut Aftermath,
    ) -> Poll<Option<Datagram>> {
        let done = done.take().map(Datagram::into_parts);
        let mut state = self.lock();
        if let Some((count, room, buffer)) = done {
            state.sent += count as u64;
            state.used = state.used.saturating_sub(room);
            aftermath.buffers.extend(state.backlog.keep_bundle(buffer));
            state.admit(self.capacity, &mut aftermath.wakers);
        }
        let next = match state.backlog.pop() {
            Some(next) => Poll::Ready(Some(next)),
            None if state.phase == Phase::Open => {
                aftermath.is_large = state.backlog.is_large();
                aftermath.replaced = state.driver.replace(cx.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(None),
        };
        drop(state);
        aftermath.settle();
        next
    }

    /// Frees memory that an idle queue does not keep.
    pub(super) fn shrink(&self, aftermath: &mut Aftermath) {
        let mut state = self.lock();
        state.backlog.shrink(&mut aftermath.buffers);
        drop(state);
        aftermath.settle();
    }
}

impl State {
    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Returns how many messages are queued.
    pub(super) fn len(&self) -> usize {
        if self.phase == Phase::Ended { 0 } else { (self.queued - self.sent) as usize }
    }

    pub(super) fn waiters(&mut self) -> &mut Waiters {
        &mut self.waiters
    }

    pub(super) fn backlog(&mut self) -> &mut Backlog {
        &mut self.backlog
    }

    /// Returns whether a frame that takes `room` may be queued now: no call waits, and there is room.
    #[inline]
    pub(super) fn is_free(&self, room: usize, capacity: usize) -> bool {
        self.waiters.is_line_empty() && self.has_room(room, capacity)
    }

    /// Queues a frame that may be in a bundle.
    #[inline]
    pub(super) fn push(&mut self, frame: &[IoSlice<'_>], len: usize) -> Queued {
        self.used += len;
        self.backlog.push(frame, len);
        self.count(None)
    }

    /// Queues a frame for which room is reserved.
    pub(super) fn push_held(&mut self, frame: HeldFrame) -> Queued {
        let buffer = self.backlog.push_held(frame);
        let unused = self.backlog.keep(buffer);
        self.count(unused)
    }

    /// Reserves `room` for a frame, now or later. Returns the key of the call.
    pub(super) fn enter(&mut self, room: usize, is_free: bool) -> usize {
        if !is_free {
            return self.waiters.line_up(room);
        }
        self.used += room;
        self.waiters.add(Place::Admitted { room })
    }

    #[inline]
    fn count(&mut self, unused: Option<Vec<u8>>) -> Queued {
        let number = self.queued;
        self.queued += 1;
        Queued { number, driver: self.driver.take(), _unused: unused }
    }

    /// Admits waiting calls, in order, while there is room.
    #[inline]
    fn admit(&mut self, capacity: usize, wakers: &mut Vec<Waker>) {
        while let Some(room) = self.waiters.first_room()
            && self.has_room(room, capacity)
        {
            self.used += room;
            wakers.extend(self.waiters.admit_first());
        }
    }

    /// A frame longer than the capacity has room in an empty queue.
    #[inline]
    fn has_room(&self, room: usize, capacity: usize) -> bool {
        self.used == 0 || room <= capacity.saturating_sub(self.used)
    }
}
