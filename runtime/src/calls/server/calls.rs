//! The running calls of a connection, and the memory of finished ones.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::caller::Caller;
use super::context::Running;
use crate::calls::ids::Ids;
use crate::calls::status::Status;

/// The most finished calls whose memory is kept.
const MAX_FINISHED: usize = 256;

/// The running calls of one connection.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    running: Ids<Arc<Running>>,
    /// Calls that have ended, without wakers, to reuse their memory.
    finished: VecDeque<Arc<Running>>,
    /// Whether a task waits for the next end of a call.
    is_awaited: bool,
    /// Whether new calls are refused.
    is_stopping: bool,
}

/// How many calls that are answered with items run, and how many others. Changed only with the calls locked, so they
/// need no atomic additions, which cost more.
#[derive(Debug, Default)]
pub(super) struct Counts {
    streams: AtomicUsize,
    others: AtomicUsize,
}

/// A call that has ended, and whose memory is not reused. Its wakers may own anything, such as other calls. So declare
/// it before locking the calls: then it is dropped after the unlock.
#[derive(Default)]
pub(super) struct Old(Option<Arc<Running>>);

/// The state in which a call ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    /// Whether the caller has cancelled the call or is gone, so that the call gets no answer.
    pub(super) is_cancelled: bool,
    /// Whether the deadline has passed, or the call was cancelled.
    pub(super) is_over: bool,
    /// Whether the task of the connection waits for the end of a call.
    pub(super) is_awaited: bool,
}

impl Calls {
    /// Begins a call of `caller`. Fails with the status to answer if the server stops, or if a call with this id
    /// already runs, which breaks the rules.
    #[inline]
    pub(super) fn begin(
        &mut self,
        id: u64,
        caller: &Arc<Caller>,
        (deadline, is_stream): (Option<Instant>, bool),
        old: &mut Old,
    ) -> Result<Arc<Running>, Status> {
        if self.is_stopping {
            return Err(Status::Stopping);
        }
        let Entry::Vacant(vacant) = self.running.entry(id) else { return Err(Status::Malformed) };
        // Some handlers hold their calls after they have answered, and may still wait then.
        let reused = match self.finished.pop_front() {
            Some(mut finished) => match Arc::get_mut(&mut finished) {
                Some(place) if !place.has_wakers() => {
                    place.reuse(deadline, is_stream);
                    Some(finished)
                }
                _ => {
                    old.0 = Some(finished);
                    None
                }
            },
            None => None,
        };
        let running = reused
            .unwrap_or_else(|| Arc::new(Running::new(Arc::clone(caller), deadline, is_stream)));
        Ok(Arc::clone(vacant.insert(running)))
    }

    /// Ends a call. Returns `None` if it does not run.
    #[inline]
    pub(super) fn end(&mut self, id: u64, counts: &Counts, old: &mut Old) -> Option<Ended> {
        let running = self.running.remove(&id)?;
        counts.remove(running.is_stream());
        let ended = Ended {
            is_cancelled: running.is_cancelled(),
            is_over: running.is_over(),
            is_awaited: mem::take(&mut self.is_awaited),
        };
        // Wakers may own tasks, and finished calls may be kept for long.
        match self.finished.len() < MAX_FINISHED && !running.has_wakers() {
            true => self.finished.push_back(running),
            false => old.0 = Some(running),
        }
        Some(ended)
    }

    /// Refuses new calls, from now on.
    pub(super) fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// Ends all calls, and returns them with their ids.
    pub(super) fn end_all(&mut self, counts: &Counts) -> Vec<(u64, Arc<Running>)> {
        counts.clear();
        self.running.drain().collect()
    }

    /// Notes that a task waits for the next end of a call: see [`Ended::is_awaited`].
    pub(super) fn await_end(&mut self) {
        self.is_awaited = true;
    }

    /// Returns a running call.
    #[inline]
    pub(super) fn get(&self, id: u64) -> Option<Arc<Running>> {
        self.running.get(&id).cloned()
    }

    /// Returns all running calls.
    pub(super) fn all(&self) -> Vec<Arc<Running>> {
        self.running.values().cloned().collect()
    }

    /// Returns how many calls run.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }
}

impl Counts {
    /// Returns how many calls run that are answered with items, and how many others.
    #[inline]
    pub(super) fn get(&self) -> (usize, usize) {
        (self.streams.load(Ordering::Relaxed), self.others.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn add(&self, is_stream: bool) {
        let count = self.of(is_stream);
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    #[inline]
    fn remove(&self, is_stream: bool) {
        let count = self.of(is_stream);
        count.store(count.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
    }

    fn clear(&self) {
        self.streams.store(0, Ordering::Relaxed);
        self.others.store(0, Ordering::Relaxed);
    }

    #[inline]
    fn of(&self, is_stream: bool) -> &AtomicUsize {
        if is_stream { &self.streams } else { &self.others }
    }
}
