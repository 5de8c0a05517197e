//! Decides when a server looks for the next request.

use std::task::{Context, Poll};

use super::turn::Turn;

/// The number of consecutive single requests after which a look is deferred.
const ALONE: u8 = 32;

/// The number of consecutive deferred looks that may find a request. Then an immediate look checks whether more are
/// queued.
const DEFERRED: u8 = 32;

/// Decides when a server looks for the next request: at once, or after the reactor and the tasks that it wakes have
/// run.
///
/// A client that makes one call at a time sends no request before it has the last answer. So an immediate look finds
/// nothing, and wastes a system call. If the client is a task of the same thread, or fast, a deferred look finds its
/// next request, which then needs no event. Looks are deferred as long as deferred looks find requests.
#[derive(Debug)]
pub(super) struct Look {
    state: State,
    turn: Turn,
    /// The number of consecutive requests that came alone.
    alone: u8,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The state is unknown.
    #[default]
    Unknown,
    /// The last look has found a request.
    Found,
    /// The reactor runs.
    Reactor,
    /// The tasks that the reactor has woken run. Then comes the deferred look.
    Tasks,
}

impl Look {
    pub(super) fn new() -> Self {
        Self { state: State::default(), turn: Turn::new(), alone: 0 }
    }

    /// Lets the tasks run that the reactor has woken, if a look is deferred. Ready otherwise.
    #[inline]
    pub(super) fn poll_deferred(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.state != State::Reactor {
            return Poll::Ready(());
        }
        self.state = State::Tasks;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Returns whether to defer the next look. If so, the task is woken for that look.
    #[inline]
    pub(super) fn defer(&mut self, cx: &Context<'_>) -> bool {
        let is_deferred = self.state == State::Found
            && (ALONE..ALONE + DEFERRED).contains(&self.alone)
            && self.turn.begin(cx);
        if is_deferred {
            self.state = State::Reactor;
        }
        is_deferred
    }

    /// Notes whether a look has found a request.
    #[inline]
    pub(super) fn found(&mut self, is_found: bool) {
        self.alone = match (self.state, is_found) {
            (State::Tasks, true) => self.alone + 1,
            // The last request came alone.
            (State::Found, false) => ALONE.min(self.alone + 1),
            (State::Unknown, _) => self.alone,
            _ => 0,
        };
        self.state = if is_found { State::Found } else { State::Unknown };
    }

    /// Notes that a request was not alone in its datagram.
    #[inline]
    pub(super) fn found_more(&mut self) {
        self.alone = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::{ALONE, DEFERRED, Look};

    /// Finds a request, and looks for the next one, which comes only if `comes`. Returns whether that look was
    /// deferred.
    fn request(look: &mut Look, comes: bool) -> bool {
        let cx = Context::from_waker(Waker::noop());
        let is_deferred = look.defer(&cx);
        if is_deferred {
            assert!(look.poll_deferred(&cx).is_pending(), "the tasks have their turn");
        }
        assert!(look.poll_deferred(&cx).is_ready());
        look.found(comes);
        if !comes {
            // The next event reports one.
            look.found(true);
        }
        is_deferred
    }

    fn after_requests_alone() -> Look {
        let mut look = Look::new();
        look.found(true);
        (0..ALONE).for_each(|_| assert!(!request(&mut look, false)));
        look
    }

    #[test]
    fn looks_are_deferred_while_that_finds_requests() {
        let mut look = after_requests_alone();
        for _ in 0..3 {
            (0..DEFERRED).for_each(|_| assert!(request(&mut look, true)));
            // Are more queued? No.
            assert!(!request(&mut look, false));
        }
        // It finds nothing.
        assert!(request(&mut look, false));
        (0..ALONE).for_each(|_| assert!(!request(&mut look, false)));
        assert!(request(&mut look, false));
    }

    #[test]
    fn looks_are_at_once_while_more_are_queued() {
        let mut look = after_requests_alone();
        (0..DEFERRED).for_each(|_| assert!(request(&mut look, true)));
        (0..100).for_each(|_| assert!(!request(&mut look, true)));

        let mut look = after_requests_alone();
        look.found_more();
        assert!(!request(&mut look, false));
    }
}
