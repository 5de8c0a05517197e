//! Waits until the reactor has run.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Wake, Waker};

use ::tokio::task::yield_now;

/// Wakes a task after the reactor has run.
///
/// A runtime of one thread keeps the wakers of yielding tasks until it runs the reactor. If `block_on` returns before,
/// the runtime drops the wakers. That happens to a task of a `LocalSet` or of a `FuturesUnordered`. So the runtime gets
/// a token, and dropping the token also wakes the task.
pub(super) struct Turn(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    waker: Option<Waker>,
    /// `None` while the runtime has it.
    token: Option<Arc<Token>>,
}

struct Token(Weak<Mutex<Waiting>>);

impl Turn {
    pub(super) fn new() -> Self {
        let waiting = Arc::<Mutex<Waiting>>::default();
        lock(&waiting).token = Some(Arc::new(Token(Arc::downgrade(&waiting))));
        Self(waiting)
    }

    /// Makes the task wake later. Returns `false` if the runtime still has the last token: the task wakes when the
    /// runtime wakes or drops that one.
    #[inline]
    pub(super) fn begin(&self, cx: &Context<'_>) -> bool {
        let mut waiting = lock(&self.0);
        let is_known = waiting.waker.as_ref().is_some_and(|known| known.will_wake(cx.waker()));
        // Dropped after the lock is released.
        let replaced = (!is_known).then(|| waiting.waker.replace(cx.waker().clone()));
        let token = waiting.token.take();
        drop(waiting);
        drop(replaced);
        let Some(token) = token else { return false };
        let waker = Waker::from(token);
        _ = pin!(yield_now()).poll(&mut Context::from_waker(&waker));
        true
    }
}

impl Wake for Token {
    #[inline]
    fn wake(self: Arc<Self>) {
        let Some(waiting) = self.0.upgrade() else { return };
        let mut waiting = lock(&waiting);
        waiting.token = Some(self);
        let waker = waiting.waker.take();
        drop(waiting);
        waker.into_iter().for_each(Waker::wake);
    }
}

/// Wakes the task if the runtime drops the token: see [`Turn`].
impl Drop for Token {
    fn drop(&mut self) {
        let Some(waiting) = self.0.upgrade() else { return };
        let mut waiting_now = lock(&waiting);
        waiting_now.token = Some(Arc::new(Self(Weak::clone(&self.0))));
        let waker = waiting_now.waker.take();
        drop(waiting_now);
        waker.into_iter().for_each(Waker::wake);
    }
}

#[inline]
fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("is_begun", &lock(&self.0).token.is_none()).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use ::tokio::runtime::Builder;

    use super::*;

    /// Otherwise, a server would never defer a look again.
    #[test]
    fn a_turn_can_begin_after_the_runtime_has_dropped_the_last_token() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let turn = Turn::new();
        for _ in 0..3 {
            let begun = runtime.block_on(poll_fn(|cx| Poll::Ready(turn.begin(cx))));
            assert!(begun);
        }
    }
}
