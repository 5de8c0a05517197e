//! The running calls of a connection, and the memory of finished ones.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::context::Running;
use crate::calls::ids::Ids;
use crate::peer::Peer;

/// The most finished calls whose memory is kept.
const MAX_FINISHED: usize = 256;

/// The running calls of one connection.
#[derive(Debug)]
pub(super) struct Calls {
    /// The caller.
    peer: Option<Arc<Peer>>,
    table: Mutex<Table>,
    /// How many calls that are answered with items run, and how many others. Changed only with `table` locked, so they
    /// need no atomic additions, which cost more.
    streams: AtomicUsize,
    others: AtomicUsize,
    /// How many calls were taken out of `table` to be answered. Changed like `streams`.
    ended: AtomicUsize,
    /// For how many of these calls the answer was queued.
    answered: AtomicUsize,
}

#[derive(Debug, Default)]
struct Table {
    running: Ids<Arc<Running>>,
    /// Calls that have ended, to reuse their memory.
    finished: VecDeque<Arc<Running>>,
    /// Whether a task waits for the next end of a call.
    is_awaited: bool,
}

/// A call that has ended. It may hold wakers, which may own anything, such as other calls. So declare it before locking
/// the table, which makes it drop after the unlock.
#[derive(Default)]
struct Old {
    /// A call that its handler still holds after it has answered.
    shared: Option<Arc<Running>>,
    /// The old content of reused memory.
    owned: Option<Running>,
}

impl Calls {
    pub(super) fn new(peer: Option<Arc<Peer>>) -> Self {
        Self {
            peer,
            table: Mutex::default(),
            streams: AtomicUsize::new(0),
            others: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        }
    }

    /// Begins a call. Returns `None` if a call with this id runs.
    #[inline]
    pub(super) fn begin(
        &self,
        id: u64,
        deadline: Option<Instant>,
        is_stream: bool,
    ) -> Option<Arc<Running>> {
        let mut old = Old::default();
        let mut table = self.table();
        let Table { running, finished, .. } = &mut *table;
        let Entry::Vacant(vacant) = running.entry(id) else { return None };
        let call = self.renew(finished.pop_front(), deadline, is_stream, &mut old);
        let call = vacant.insert(call);
        add_one(self.count(is_stream));
        Some(Arc::clone(call))
    }

    /// Begins a call that has no id, and so no answer.
    pub(super) fn begin_unanswered(&self, is_stream: bool) -> Arc<Running> {
        Arc::new(Running::new(self.peer.clone(), None, is_stream))
    }

    /// Creates a call in the memory of a finished one, if the memory of one is free. Some handlers hold their calls
    /// after they have answered.
    #[inline]
    fn renew(
        &self,
        finished: Option<Arc<Running>>,
        deadline: Option<Instant>,
        is_stream: bool,
        old: &mut Old,
    ) -> Arc<Running> {
        if let Some(mut finished) = finished {
            match Arc::get_mut(&mut finished) {
                Some(place) => {
                    let next = place.next(deadline, is_stream);
                    old.owned = Some(mem::replace(place, next));
                    return finished;
                }
                None => old.shared = Some(finished),
            }
        }
        Arc::new(Running::new(self.peer.clone(), deadline, is_stream))
    }

    /// Returns a running call.
    #[inline]
    pub(super) fn get(&self, id: u64) -> Option<Arc<Running>> {
        self.table().running.get(&id).cloned()
    }

    /// Ends a call. Returns a guard to drop when the answer is queued, or `None` if the call does not run or its caller
    /// waits for no answer. Also returns whether a task waits for the end of a call.
    #[inline]
    pub(super) fn remove(&self, id: u64) -> (Option<Unanswered<'_>>, bool) {
        let mut old = Old::default();
        let mut table = self.table();
        let Some(running) = table.running.remove(&id) else { return (None, false) };
        let count = self.count(running.is_stream());
        count.store(count.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
        let unanswered = (!running.is_cancelled()).then(|| self.unanswered(running.is_over()));
        match table.finished.len() {
            MAX_FINISHED.. => old.shared = Some(running),
            _ => table.finished.push_back(running),
        }
        (unanswered, mem::take(&mut table.is_awaited))
    }

    /// Notes that a task waits for the next end of a call, so that [`remove`](Self::remove) reports it. Returns the
    /// current [`counts`](Self::counts).
    pub(super) fn await_end(&self) -> (usize, usize) {
        let mut table = self.table();
        table.is_awaited = true;
        self.counts()
    }

    /// Returns all running calls.
    pub(super) fn all(&self) -> Vec<Arc<Running>> {
        self.table().running.values().cloned().collect()
    }

    /// Ends all calls, and returns them with their ids.
    pub(super) fn take_all(&self) -> Vec<(u64, Arc<Running>, Unanswered<'_>)> {
        let mut table = self.table();
        self.streams.store(0, Ordering::Relaxed);
        self.others.store(0, Ordering::Relaxed);
        let all = table.running.drain();
        all.map(|(id, running)| (id, running, self.unanswered(false))).collect()
    }

    /// Returns whether a call has ended whose answer is not queued yet.
    pub(super) fn is_ending(&self) -> bool {
        // The order of the loads matters. In this order, equal counts mean that no call was ending at the first load.
        // In the other order, an answer between the loads could hide a call that is ending.
        let answered = self.answered.load(Ordering::SeqCst);
        answered != self.ended.load(Ordering::Acquire)
    }

    /// Returns how many calls run.
    pub(super) fn len(&self) -> usize {
        self.table().running.len()
    }

    /// Returns how many running calls are answered with items, and how many are not.
    #[inline]
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.streams.load(Ordering::Relaxed), self.others.load(Ordering::Relaxed))
    }

    /// Notes that a call no longer runs, while `table` is locked.
    #[inline]
    fn unanswered(&self, is_over: bool) -> Unanswered<'_> {
        add_one(&self.ended);
        Unanswered { is_over, answered: &self.answered }
    }

    #[inline]
    fn count(&self, is_stream: bool) -> &AtomicUsize {
        if is_stream { &self.streams } else { &self.others }
    }

    #[inline]
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a call as ended but not answered until this is dropped. A server that stops waits until then.
pub(super) struct Unanswered<'s> {
    /// Whether the caller no longer waits for the answer.
    pub(super) is_over: bool,
    answered: &'s AtomicUsize,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        // The answering thread checks `is_closing` after this. If the flag is not set yet, the thread that sets it
        // checks this count afterwards.
        self.answered.fetch_add(1, Ordering::SeqCst);
    }
}

/// Adds one to a count that changes only while a lock is held.
#[inline]
fn add_one(count: &AtomicUsize) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
}
