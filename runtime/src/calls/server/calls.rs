//! The calls of a connection that run, and the memory of finished ones.

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

/// The calls of one connection.
#[derive(Debug)]
pub(super) struct Calls {
    /// Who calls.
    peer: Option<Arc<Peer>>,
    table: Mutex<Table>,
    /// How many calls run that are answered with items, and how many others. Changed with `table` locked, so without
    /// atomic additions, which cost more.
    streams: AtomicUsize,
    others: AtomicUsize,
    /// How many calls were taken out of `table` to be answered. Changed like those.
    ended: AtomicUsize,
    /// For how many of them the answer was queued.
    answered: AtomicUsize,
}

#[derive(Debug, Default)]
struct Table {
    running: Ids<Arc<Running>>,
    /// Calls that have ended. Their memory is used again.
    finished: VecDeque<Arc<Running>>,
    /// Whether the next end of a call is awaited.
    is_awaited: bool,
}

/// A call that has ended. It may hold wakers, and those may own anything, such as other calls: declare it before the
/// table is locked, so that it is dropped afterwards.
#[derive(Default)]
struct Old {
    /// What some handlers keep after they have answered.
    shared: Option<Arc<Running>>,
    /// What was in memory that is used again.
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

    /// Returns who calls.
    pub(super) fn peer(&self) -> Option<&Peer> {
        self.peer.as_deref()
    }

    /// Begins a call. `None` if a call with this id runs.
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

    /// Puts a call in the memory of a finished one, if there is one that nobody else holds: some handlers keep theirs
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

    /// Returns a call that runs.
    #[inline]
    pub(super) fn get(&self, id: u64) -> Option<Arc<Running>> {
        self.table().running.get(&id).cloned()
    }

    /// Ends a call. Returns what to drop once its answer is queued: `None` if it does not run, or if its caller waits
    /// for no answer. Also returns whether its end was awaited.
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

    /// Notes that the next end of a call is awaited: [`remove`](Self::remove) then says so. Returns the
    /// [`counts`](Self::counts) of now.
    pub(super) fn await_end(&self) -> (usize, usize) {
        let mut table = self.table();
        table.is_awaited = true;
        self.counts()
    }

    /// Returns all calls that run.
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
        // In this order: if both are equal, no call was ending at the first load. In the other order, an answer in
        // between could hide a call that is ending.
        let answered = self.answered.load(Ordering::SeqCst);
        answered != self.ended.load(Ordering::Acquire)
    }

    /// Returns how many calls run.
    pub(super) fn len(&self) -> usize {
        self.table().running.len()
    }

    /// Returns how many calls run that are answered with items, and how many others.
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

/// Counts a call as ended and not answered, until it is dropped. Until then, a server that stops waits.
pub(super) struct Unanswered<'s> {
    /// Whether nobody waits for the answer any more.
    pub(super) is_over: bool,
    answered: &'s AtomicUsize,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        // Whoever answers looks at `is_closing` after this. If it is not set yet, whoever sets it looks at this count
        // afterwards.
        self.answered.fetch_add(1, Ordering::SeqCst);
    }
}

/// Adds one to a count that is only changed with a lock held.
#[inline]
fn add_one(count: &AtomicUsize) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
}
