//! Decides when a server looks for the next request.

use std::task::{Context, Poll};

use super::turn::Turn;

/// The number of consecutive single requests after which a look is deferred.
const ALONE: u8 = 32;

/// The number of consecutive deferred looks that may find a request. Then an immediate look checks whether more are
/// queued. A check that finds nothing does not end the receiver's streak: if deferred looks find all requests, the
/// receiver does without the reactor.
const DEFERRED: u8 = 32;

/// Decides when a server looks for the next request: at once, or after the reactor and the tasks that it wakes have
/// run.
///
/// A client that makes one call at a time sends no request before it has the last answer. So an immediate look finds
/// nothing, and wastes a system call. If the client is a task of the same thread, or fast, a deferred look finds its
/// next request, which then needs no event. Looks are deferred as long as deferred looks find requests.
#[derive(Debug, Default)]
pub(super) struct Look {
    state: State,
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

    /// If a check is due, calls `look` to check whether more requests are queued. Returns what it finds.
    #[inline]
    pub(super) fn check<T>(&mut self, look: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.state != State::Found || self.alone < ALONE + DEFERRED {
            return None;
        }
        let found = look();
        self.alone = if found.is_some() { 0 } else { ALONE };
        found
    }

    /// Returns whether to defer the next look. If so, `turn` wakes the task for that look.
    #[inline]
    pub(super) fn defer(&mut self, cx: &Context<'_>, turn: &Turn) -> bool {
        let is_deferred = self.state == State::Found && self.alone >= ALONE && turn.begin(cx);
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

    use super::{ALONE, DEFERRED, Look, Turn};

    #[derive(Debug, PartialEq)]
    enum Looked {
        AtOnce,
        Deferred,
        CheckedAndDeferred,
    }

    /// Looks for the request after one that was found. It comes only if `comes`, and is not queued yet.
    fn request(look: &mut Look, comes: bool) -> Looked {
        let cx = Context::from_waker(Waker::noop());
        let mut is_checked = false;
        look.check(|| -> Option<()> {
            is_checked = true;
            None
        });
        let is_deferred = look.defer(&cx, &Turn::new());
        if is_deferred {
            assert!(look.poll_deferred(&cx).is_pending(), "the tasks have their turn");
        }
        assert!(look.poll_deferred(&cx).is_ready());
        look.found(comes);
        if !comes {
            // The next event reports one.
            look.found(true);
        }
        match (is_checked, is_deferred) {
            (false, false) => Looked::AtOnce,
            (false, true) => Looked::Deferred,
            (true, true) => Looked::CheckedAndDeferred,
            (true, false) => unreachable!("a check that finds nothing does not end deferral"),
        }
    }

    fn after_requests_alone() -> Look {
        let mut look = Look::default();
        look.found(true);
        (0..ALONE).for_each(|_| assert_eq!(request(&mut look, false), Looked::AtOnce));
        look
    }

    #[test]
    fn looks_are_deferred_while_that_finds_requests() {
        let mut look = after_requests_alone();
        (0..DEFERRED).for_each(|_| assert_eq!(request(&mut look, true), Looked::Deferred));
        for _ in 0..3 {
            assert_eq!(request(&mut look, true), Looked::CheckedAndDeferred);
            (1..DEFERRED).for_each(|_| assert_eq!(request(&mut look, true), Looked::Deferred));
        }
        // It finds nothing.
        assert_eq!(request(&mut look, false), Looked::CheckedAndDeferred);
        (0..ALONE).for_each(|_| assert_eq!(request(&mut look, false), Looked::AtOnce));
        assert_eq!(request(&mut look, false), Looked::Deferred);
    }

    #[test]
    fn looks_are_at_once_while_more_are_queued() {
        let mut look = after_requests_alone();
        (0..DEFERRED).for_each(|_| assert_eq!(request(&mut look, true), Looked::Deferred));
        assert!(look.check(|| Some(())).is_some());
        (0..100).for_each(|_| assert_eq!(request(&mut look, true), Looked::AtOnce));

        let mut look = after_requests_alone();
        look.found_more();
        assert_eq!(request(&mut look, false), Looked::AtOnce);
    }
}
