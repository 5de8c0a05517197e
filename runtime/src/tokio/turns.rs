//! Lets other tasks run between the sends of a busy one.
//!
//! Reads count against tokio's budget of the task. Sends that do not wait do not ask the reactor, so tokio cannot
//! count them.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

/// The number of sends of a thread without a pause. It is also tokio's budget of a task.
const SENDS: u8 = 128;

thread_local! {
    /// How many sends are left before the next pause.
    static LEFT: Cell<u8> = const { Cell::new(SENDS) };
}

/// Counts a send. Returns `false` if other tasks of this thread should run first.
#[inline]
pub(super) fn take() -> bool {
    let left = LEFT.get().checked_sub(1);
    LEFT.set(left.unwrap_or(SENDS));
    left.is_some()
}

/// Lets other tasks of this thread run.
#[cold]
pub(super) async fn pause() {
    let mut has_paused = false;
    poll_fn(|cx| {
        if has_paused {
            return Poll::Ready(());
        }
        has_paused = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
