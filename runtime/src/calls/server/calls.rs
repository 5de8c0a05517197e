//! The calls of a connection that run, and the memory for others.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Instant;

use super::context::Running;
use crate::calls::ids::Ids;

/// The most finished calls whose memory is kept.
const MAX_FINISHED: usize = 256;

/// The calls of one connection.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) running: Ids<Arc<Running>>,
    /// Calls that were answered, to be used again.
    finished: VecDeque<Arc<Running>>,
}

impl Calls {
    /// Begins a call, in memory of one that has ended if there is any. `None` if a call with this id runs.
    #[inline]
    pub(super) fn begin(
        &mut self,
        id: u64,
        deadline: Option<Instant>,
        is_stream: bool,
    ) -> Option<Arc<Running>> {
        let Entry::Vacant(vacant) = self.running.entry(id) else { return None };
        let fresh = Running::new(deadline, is_stream);
        let running = match self.finished.pop_front() {
            Some(mut finished) => match Arc::get_mut(&mut finished) {
                Some(running) => {
                    *running = fresh;
                    finished
                }
                // Some handlers keep it after they have answered.
                None => Arc::new(fresh),
            },
            None => Arc::new(fresh),
        };
        Some(Arc::clone(vacant.insert(running)))
    }

    /// Keeps the memory of a call that has ended, unless there is enough.
    #[inline]
    pub(super) fn keep(&mut self, finished: Arc<Running>) {
        if self.finished.len() < MAX_FINISHED {
            self.finished.push_back(finished);
        }
    }
}
