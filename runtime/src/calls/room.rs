//! Tasks that wait until less is queued.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::task::{Poll, Waker};
use std::{mem, ptr};

use crate::calls::sync::atomic::{AtomicBool, Ordering, fence};
use crate::calls::sync::{Mutex, MutexGuard};
use crate::calls::wake::wake_all;

/// The tasks that wait for room in a queue.
#[derive(Debug, Default)]
pub(crate) struct Room {
    has_waiting: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// In the order in which the tasks began to wait.
    wakers: Vec<Waker>,
    /// What [`Waker::will_wake`] compares of each waker, to find it without comparing all.
    known: HashSet<(usize, usize)>,
}

impl Room {
    /// Waits until `is_free`.
    pub(crate) fn poll(&self, waker: &Waker, is_free: impl Fn() -> bool) -> Poll<()> {
        if is_free() {
            return Poll::Ready(());
        }
        // Cloned before the lock, because it is foreign code.
        let waker = waker.clone();
        let mut waiting = self.waiting();
        self.has_waiting.store(true, Ordering::SeqCst);
        // Either this task sees what another one has sent meanwhile, or the other one sees that this task waits.
        fence(Ordering::SeqCst);
        if is_free() {
            return Poll::Ready(());
        }
        if waiting.known.insert((waker.data().addr(), ptr::from_ref(waker.vtable()).addr())) {
            waiting.wakers.push(waker);
        }
        Poll::Pending
    }

    /// Wakes the waiting tasks if `is_free`, which must return `true` whenever one of them may continue. Call this
    /// after sending.
    pub(crate) fn admit(&self, is_free: impl Fn() -> bool) {
        fence(Ordering::SeqCst);
        if !self.has_waiting.load(Ordering::SeqCst) || !is_free() {
            return;
        }
        let mut waiting = self.waiting();
        let Waiting { wakers, .. } = mem::take(&mut *waiting);
        self.has_waiting.store(false, Ordering::SeqCst);
        drop(waiting);
        wake_all(wakers);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    struct Task(Arc<AtomicUsize>);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Each has its place once, however often it polls. To compare all wakers would take minutes.
    #[test]
    fn very_many_tasks_wait() {
        const TASKS: usize = 200_000;
        let (room, woken) = (Room::default(), Arc::new(AtomicUsize::new(0)));
        let waker = || Waker::from(Arc::new(Task(Arc::clone(&woken))));
        for waker in iter::repeat_with(waker).take(TASKS) {
            for _ in 0..2 {
                assert!(room.poll(&waker, || false).is_pending());
            }
        }
        room.admit(|| true);
        assert_eq!(woken.load(Ordering::Relaxed), TASKS, "each is woken once");
    }
}
