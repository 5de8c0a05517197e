//! Gathers the next requests of callers that were answered together.

use std::task::{Context, Poll};

/// The most requests that are gathered. More would gain little: the cost of a datagram is already divided by 32.
const MAX_GATHERED: usize = 32;

/// How often in a row other tasks run without a new call. Then no more is expected.
const MAX_IDLE: u8 = 3;

/// Gathers the next requests of callers that were answered together, so that they share a datagram.
///
/// These callers are likely to call again, but another thread of the runtime may run some of them. So other tasks run
/// as long as that brings new calls. If other calls are in flight, nothing is gathered, because the server is busy with
/// those.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// The last count of calls.
    calls: u64,
    /// The count of calls once all callers have called again.
    expected: u64,
    /// How often in a row other tasks have run without a new call.
    idle: u8,
}

impl Gathering {
    /// Expects that `callers` callers, which get their answers after `calls` calls have begun, call again.
    #[inline]
    pub(super) fn expect(&mut self, calls: u64, callers: usize) {
        *self = Self { calls, expected: calls + callers.min(MAX_GATHERED) as u64, idle: 0 };
    }

    /// Lets other tasks run if more calls are expected. `calls` calls have begun. Ready otherwise.
    #[inline]
    pub(super) fn poll(&mut self, cx: &Context<'_>, calls: u64) -> Poll<()> {
        if calls != self.calls {
            (self.calls, self.idle) = (calls, 0);
        }
        if calls >= self.expected || self.idle == MAX_IDLE {
            self.expected = 0;
            return Poll::Ready(());
        }
        self.idle += 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::{Gathering, MAX_GATHERED, MAX_IDLE};

    /// Polls once for each count of calls. Returns how often other tasks may run.
    fn turns(gathering: &mut Gathering, calls: impl IntoIterator<Item = u64>) -> usize {
        let cx = Context::from_waker(Waker::noop());
        calls.into_iter().take_while(|&calls| gathering.poll(&cx, calls).is_pending()).count()
    }

    #[test]
    fn other_tasks_run_until_all_callers_have_called_again() {
        let mut gathering = Gathering::default();
        assert_eq!(turns(&mut gathering, [5]), 0, "no caller is expected");
        gathering.expect(5, 3);
        assert_eq!(turns(&mut gathering, [5, 6, 7, 8, 8]), 3);
        assert_eq!(turns(&mut gathering, [8]), 0);
        gathering.expect(8, usize::MAX);
        assert_eq!(turns(&mut gathering, 8..), MAX_GATHERED);
    }

    #[test]
    fn other_tasks_run_only_while_that_brings_calls() {
        let mut gathering = Gathering::default();
        gathering.expect(0, 16);
        assert_eq!(turns(&mut gathering, [0; 10]), usize::from(MAX_IDLE));
        assert_eq!(turns(&mut gathering, [1]), 0, "the callers are no longer expected");
        gathering.expect(0, 16);
        assert_eq!(turns(&mut gathering, [0, 0, 1, 1, 1, 1, 1]), 5);
    }
}
