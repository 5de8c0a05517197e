//! The turn of the reactor.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Wake, Waker};

use ::tokio::task::yield_now;

/// Wakes a task after the reactor was asked.
///
/// A runtime of one thread keeps those who yield until it asks the reactor, and forgets them if `block_on` returns
/// before. That happens to a task of a `LocalSet` or of a `FuturesUnordered`. So the runtime gets a token, and whoever
/// drops the token wakes the task, too.
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

    /// Wakes the task later. Returns whether it will: not if the runtime still has the token.
    #[inline]
    pub(super) fn begin(&self, cx: &Context<'_>) -> bool {
        let mut waiting = lock(&self.0);
        let Some(token) = waiting.token.take() else { return false };
        waiting.waker = Some(cx.waker().clone());
        drop(waiting);
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

/// The runtime has forgotten it: see [`Turn`].
impl Drop for Token {
    fn drop(&mut self) {
        let Some(waiting) = self.0.upgrade() else { return };
        let waker = lock(&waiting).waker.take();
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
