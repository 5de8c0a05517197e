//! The calls of a connection that run, and the memory for others.

use std::collections::VecDeque;
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
    /// Returns a call that has just begun, in memory of one that has ended if there is any.
    pub(super) fn fresh(&mut self, deadline: Option<Instant>, is_stream: bool) -> Arc<Running> {
        if let Some(mut finished) = self.finished.pop_front()
            // Some handlers keep it after they have answered.
            && let Some(running) = Arc::get_mut(&mut finished)
        {
            *running = Running::new(deadline, is_stream);
            return finished;
        }
        Arc::new(Running::new(deadline, is_stream))
    }

    /// Keeps the memory of a call that has ended, unless there is enough.
    pub(super) fn keep(&mut self, finished: Arc<Running>) {
        if self.finished.len() < MAX_FINISHED {
            self.finished.push_back(finished);
        }
    }
}
