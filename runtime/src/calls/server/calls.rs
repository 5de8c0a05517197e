//! The calls of a connection that run, and the memory of finished ones.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::context::Running;
use crate::calls::ids::Ids;

/// The most finished calls whose memory is kept.
const MAX_FINISHED: usize = 256;

/// The calls of one connection.
#[derive(Debug, Default)]
pub(super) struct Calls {
    table: Mutex<Table>,
    /// How many calls run that are answered with items, and how many others. Changed with `table` locked, so without
    /// atomic additions, which cost more.
    streams: AtomicUsize,
    others: AtomicUsize,
    /// How many calls no longer run, but their answers are not queued yet. Added to with `table` locked.
    ending: AtomicUsize,
}

#[derive(Debug, Default)]
struct Table {
    running: Ids<Arc<Running>>,
    /// Calls that were answered. Their memory is used again.
    finished: VecDeque<Arc<Running>>,
}

impl Calls {
    /// Begins a call. `None` if a call with this id runs.
    #[inline]
    pub(super) fn begin(
        &self,
        id: u64,
        deadline: Option<Instant>,
        is_stream: bool,
    ) -> Option<Arc<Running>> {
        let mut table = self.table();
        let Table { running, finished } = &mut *table;
        let Entry::Vacant(vacant) = running.entry(id) else { return None };
        let running = renew(finished.pop_front(), Running::new(deadline, is_stream));
        let count = self.count(is_stream);
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        Some(Arc::clone(vacant.insert(running)))
    }

    /// Returns a call that runs.
    #[inline]
    pub(super) fn get(&self, id: u64) -> Option<Arc<Running>> {
        self.table().running.get(&id).cloned()
    }

    /// Ends a call, and returns it. `None` if it does not run, or if its caller waits for no answer.
    #[inline]
    pub(super) fn remove(&self, id: u64) -> Option<Ending<'_>> {
        let mut table = self.table();
        let running = table.running.remove(&id)?;
        let count = self.count(running.is_stream());
        count.store(count.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
        if table.finished.len() < MAX_FINISHED {
            table.finished.push_back(Arc::clone(&running));
        }
        if running.is_cancelled() {
            return None;
        }
        Some(self.ending(running))
    }

    /// Returns all calls that run.
    pub(super) fn all(&self) -> Vec<Arc<Running>> {
        self.table().running.values().cloned().collect()
    }

    /// Ends all calls, and returns them with their ids.
    pub(super) fn take_all(&self) -> Vec<(u64, Ending<'_>)> {
        let mut table = self.table();
        self.streams.store(0, Ordering::Relaxed);
        self.others.store(0, Ordering::Relaxed);
        let all = table.running.drain().map(|(id, running)| (id, self.ending(running)));
        all.collect()
    }

    /// Returns whether a call has ended whose answer is not queued yet.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire) > 0
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
    fn ending(&self, running: Arc<Running>) -> Ending<'_> {
        self.ending.fetch_add(1, Ordering::Relaxed);
        Ending { running, ending: &self.ending }
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

/// A call that no longer runs, and whose answer is about to be queued. Until then, a server that stops waits.
pub(super) struct Ending<'s> {
    pub(super) running: Arc<Running>,
    ending: &'s AtomicUsize,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.ending.fetch_sub(1, Ordering::Release);
    }
}

/// Puts a call in the memory of a finished one, if there is one that nobody else holds: some handlers keep theirs after
/// they have answered.
#[inline]
fn renew(finished: Option<Arc<Running>>, running: Running) -> Arc<Running> {
    if let Some(mut finished) = finished
        && let Some(place) = Arc::get_mut(&mut finished)
    {
        *place = running;
        return finished;
    }
    Arc::new(running)
}
