//! Gathers the next requests of callers that were answered together.

use std::task::{Context, Poll};

/// The most requests that are gathered. More would gain little: the cost of a datagram is already divided by 32.
const ENOUGH: usize = 32;

/// How often in a row other tasks may run without a new call.
const VAIN: u8 = 3;

/// Gathers the next requests of callers that were answered together, so that they share a datagram.
///
/// These callers are likely to call again, but another thread of the runtime may run some of them. So other tasks run
/// as long as that brings new calls. If other calls are in flight, nothing is gathered, because the server is busy with
/// those.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// The number of calls that have ever begun.
    calls: u64,
    /// This number once all callers have called again.
    expected: u64,
    /// How often in a row other tasks have run without a new call.
    vain: u8,
}

impl Gathering {
    /// Notes that `callers` have their answers, after `calls` calls.
    #[inline]
    pub(super) fn expect(&mut self, calls: u64, callers: usize) {
        *self = Self { calls, expected: calls + callers.min(ENOUGH) as u64, vain: 0 };
    }

    /// Lets other tasks run, if more calls are expected. `calls` have begun.
    #[inline]
    pub(super) fn poll(&mut self, cx: &Context<'_>, calls: u64) -> Poll<()> {
        self.vain = if calls == self.calls { self.vain + 1 } else { 1 };
        self.calls = calls;
        if calls >= self.expected || self.vain > VAIN {
            self.expected = 0;
            self.vain = 0;
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::{ENOUGH, Gathering, VAIN};

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
        assert_eq!(turns(&mut gathering, 8..), ENOUGH);
    }

    #[test]
    fn other_tasks_run_only_while_that_brings_calls() {
        let mut gathering = Gathering::default();
        gathering.expect(0, 16);
        assert_eq!(turns(&mut gathering, [0; 10]), usize::from(VAIN));
        assert_eq!(turns(&mut gathering, [0; 10]), 0);
        gathering.expect(0, 16);
        assert_eq!(turns(&mut gathering, [0, 0, 1, 1, 1, 1, 1]), 5);
    }
}
