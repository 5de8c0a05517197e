//! Counts the open connections of a running server, and waits until all have ended.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// The number of open connections.
#[derive(Default)]
pub(super) struct Connections(Mutex<State>);

#[derive(Default)]
struct State {
    open: usize,
    /// Wakes the task that waits until no connection is open.
    waiting: Option<Waker>,
}

/// An open connection, counted until this is dropped.
pub(super) struct Open(Arc<Connections>);

impl Connections {
    /// Counts one more connection.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        self.lock().open += 1;
        Open(Arc::clone(self))
    }

    /// Waits until no connection is open.
    pub(super) async fn ended(&self) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.open == 0 {
                return Poll::Ready(());
            }
            let replaced = state.waiting.replace(cx.waker().clone());
            // The replaced waker may own an open connection.
            drop(state);
            drop(replaced);
            Poll::Pending
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.open -= 1;
        let waiting = if state.open == 0 { state.waiting.take() } else { None };
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}
