//! Gathers the next requests of callers that were answered together.

use std::task::{Context, Poll};

/// The most requests that are gathered. More would gain little: the cost of a datagram is already divided by 32.
const MAX_GATHERED: usize = 32;

/// How often in a row other tasks run without a new call. Then no more is expected.
const MAX_IDLE: u8 = 3;

/// The number of times that nothing is expected after most callers did not call again.
const SKIPPED: u8 = 15;

/// Lets other tasks run before parts are sent, so that more parts share a datagram.
///
/// Callers that were answered together are likely to call again, but another thread of the runtime may run some of
/// them. So other tasks run as long as that brings new calls.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// The last count of calls.
    calls: u64,
    /// The count of calls once half of the callers have called again.
    half: u64,
    /// The count of calls once all of them have.
    expected: u64,
    /// How often in a row other tasks have run without a new call.
    idle: u8,
    /// How often nothing will be expected.
    skipped: u8,
    /// Whether other tasks have run since the last time that parts were sent.
    has_yielded: bool,
}

impl Gathering {
    /// Expects that `callers` callers, which get their answers after `calls` calls have begun, call again.
    #[inline]
    pub(super) fn expect(&mut self, calls: u64, callers: usize) {
        match self.skipped.checked_sub(1) {
            Some(skipped) => self.skipped = skipped,
            None => {
                let callers = callers.min(MAX_GATHERED) as u64;
                (self.half, self.expected) = (calls + callers.div_ceil(2), calls + callers);
                (self.calls, self.idle) = (calls, 0);
            }
        }
    }

    /// Lets other tasks run if more calls are expected, and once if `is_shared`: a part is queued, and parts share
    /// datagrams. `calls` calls have begun. Ready when the parts shall be sent.
    #[inline]
    pub(super) fn poll(
        &mut self,
        cx: &Context<'_>,
        calls: u64,
        is_shared: impl FnOnce() -> bool,
    ) -> Poll<()> {
        if self.awaits_calls(calls) || (!self.has_yielded && is_shared()) {
            self.has_yielded = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.has_yielded = false;
        Poll::Ready(())
    }

    #[inline]
    fn awaits_calls(&mut self, calls: u64) -> bool {
        if calls >= self.expected {
            return false;
        }
        if calls != self.calls {
            (self.calls, self.idle) = (calls, 0);
        }
        if self.idle == MAX_IDLE {
            self.expected = 0;
            self.skipped = if calls < self.half { SKIPPED } else { 0 };
            return false;
        }
        self.idle += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::{Gathering, MAX_GATHERED, MAX_IDLE, SKIPPED};

    /// Polls once for each count of calls. Returns how often other tasks may run.
    fn turns(gathering: &mut Gathering, calls: impl IntoIterator<Item = u64>) -> usize {
        let cx = Context::from_waker(Waker::noop());
        calls
            .into_iter()
            .take_while(|&calls| gathering.poll(&cx, calls, || false).is_pending())
            .count()
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
        let calls = [0, 0, 1, 1, 1].into_iter().chain([2; 100]);
        assert_eq!(turns(&mut gathering, calls), 5 + usize::from(MAX_IDLE));
        assert_eq!(turns(&mut gathering, [3]), 0, "the callers are no longer expected");
    }

    #[test]
    fn nothing_is_expected_for_some_time_if_few_callers_call_again() {
        let mut gathering = Gathering::default();
        gathering.expect(0, 5);
        assert_eq!(turns(&mut gathering, [3; 100]), usize::from(MAX_IDLE));
        gathering.expect(3, 5);
        assert_eq!(turns(&mut gathering, [5; 100]), usize::from(MAX_IDLE), "most called again");
        for _ in 0..SKIPPED {
            gathering.expect(5, 5);
            assert_eq!(turns(&mut gathering, [5]), 0);
        }
        gathering.expect(5, 5);
        assert_eq!(turns(&mut gathering, [6]), 1);
    }

    #[test]
    fn other_tasks_run_once_if_datagrams_are_shared() {
        let mut gathering = Gathering::default();
        let cx = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            assert!(gathering.poll(&cx, 0, || true).is_pending());
            assert!(gathering.poll(&cx, 0, || true).is_ready());
        }
        // Not once more after callers have called again.
        gathering.expect(0, 2);
        assert!(gathering.poll(&cx, 0, || true).is_pending());
        assert!(gathering.poll(&cx, 2, || true).is_ready());
        assert!(gathering.poll(&cx, 2, || true).is_pending());
    }
}
