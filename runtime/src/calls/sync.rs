//! Synchronisation primitives for state that is shared without a common lock: those of std, or those that loom runs in
//! all orders (see `models`).

#[cfg(not(datagrammar_loom))]
pub(super) use std::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(datagrammar_loom))]
pub(super) use std::thread;

#[cfg(datagrammar_loom)]
pub(super) use self::modeled::{Mutex, MutexGuard};
#[cfg(datagrammar_loom)]
pub(super) use loom::sync::atomic;
#[cfg(datagrammar_loom)]
pub(super) use loom::thread_local;

/// Parking for models. Loom's own forgets an unpark if the thread then waits for a mutex. Loom has no time, so a wait
/// with a deadline may end at once.
#[cfg(datagrammar_loom)]
pub(super) mod thread {
    use std::sync::Arc;
    use std::time::Duration;

    use loom::sync::{Condvar, Mutex};

    loom::thread_local! {
        static CURRENT: Thread = Thread(Arc::new((Mutex::new(false), Condvar::new())));
    }

    /// Whether it was unparked since it last parked.
    #[derive(Clone)]
    pub(crate) struct Thread(Arc<(Mutex<bool>, Condvar)>);

    impl Thread {
        pub(crate) fn unpark(&self) {
            *self.0.0.lock().unwrap() = true;
            self.0.1.notify_one();
        }
    }

    pub(crate) fn current() -> Thread {
        CURRENT.with(Thread::clone)
    }

    pub(crate) fn park() {
        let Thread(shared) = current();
        let mut unparked = shared.0.lock().unwrap();
        while !*unparked {
            unparked = shared.1.wait(unparked).unwrap();
        }
        *unparked = false;
    }

    pub(crate) fn park_timeout(_timeout: Duration) {
        loom::thread::yield_now();
    }
}

/// Loom's mutex lets no other thread run before an unlock. This one does.
#[cfg(datagrammar_loom)]
mod modeled {
    use std::ops::{Deref, DerefMut};
    use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

    use crate::calls::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug)]
    pub(crate) struct Mutex<T> {
        inner: loom::sync::Mutex<T>,
        /// Changed before each lock and unlock, so that loom runs these in every order.
        steps: AtomicUsize,
    }

    #[derive(Debug)]
    pub(crate) struct MutexGuard<'m, T> {
        guard: loom::sync::MutexGuard<'m, T>,
        steps: &'m AtomicUsize,
    }

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self { inner: loom::sync::Mutex::new(value), steps: AtomicUsize::new(0) }
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            self.step();
            let guard = |guard| MutexGuard { guard, steps: &self.steps };
            match self.inner.lock() {
                Ok(locked) => Ok(guard(locked)),
                Err(poisoned) => Err(PoisonError::new(guard(poisoned.into_inner()))),
            }
        }

        pub(crate) fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
            self.step();
            match self.inner.try_lock() {
                Ok(guard) => Ok(MutexGuard { guard, steps: &self.steps }),
                // Nothing panics while it is locked.
                Err(_) => Err(TryLockError::WouldBlock),
            }
        }

        fn step(&self) {
            self.steps.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl<T: Default> Default for Mutex<T> {
        fn default() -> Self {
            Self::new(T::default())
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.guard
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.guard
        }
    }

    impl<T> Drop for MutexGuard<'_, T> {
        fn drop(&mut self) {
            self.steps.fetch_add(1, Ordering::Relaxed);
        }
    }
}
