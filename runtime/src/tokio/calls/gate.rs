//! Bounds the calls that run at the same time.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::calls::{Bell, Session};

/// The bound on the calls of all connections.
#[derive(Debug)]
pub(super) struct Gate {
    max: usize,
    running: AtomicUsize,
    /// The sessions of connections that wait until calls end.
    waiting: Mutex<Vec<Weak<Session>>>,
}

/// The number of running calls of one connection.
#[derive(Debug, Default)]
pub(super) struct Load {
    calls: AtomicUsize,
    streams: AtomicUsize,
}

/// A running call.
pub(super) struct Permit {
    gate: Arc<Gate>,
    load: Arc<Load>,
    session: Arc<Session>,
    is_stream: bool,
}

impl Gate {
    pub(super) fn new(max: usize) -> Self {
        Self { max, running: AtomicUsize::new(0), waiting: Mutex::default() }
    }

    /// Returns whether another call may begin. If not, the bell of `session` rings when one ends.
    #[inline]
    pub(super) fn admits(&self, session: &Arc<Session>) -> bool {
        if self.is_open() {
            return true;
        }
        let mut waiting = self.waiting();
        if !waiting.iter().any(|known| known.as_ptr() == Arc::as_ptr(session)) {
            waiting.push(Arc::downgrade(session));
        }
        drop(waiting);
        // A call may have ended before the session was added.
        self.is_open()
    }

    fn is_open(&self) -> bool {
        self.running.load(Ordering::SeqCst) < self.max
    }

    fn leave(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
        let waiting = mem::take(&mut *self.waiting());
        let waiting = waiting.iter().filter_map(Weak::upgrade);
        waiting.for_each(|session| session.bell().into_iter().for_each(Bell::ring));
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Weak<Session>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Load {
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Acquire)
    }

    pub(super) fn streams(&self) -> usize {
        self.streams.load(Ordering::Acquire)
    }
}

impl Permit {
    pub(super) fn new(
        gate: Arc<Gate>,
        load: Arc<Load>,
        session: Arc<Session>,
        is_stream: bool,
    ) -> Self {
        if is_stream {
            load.streams.fetch_add(1, Ordering::AcqRel);
        } else {
            load.calls.fetch_add(1, Ordering::AcqRel);
            gate.running.fetch_add(1, Ordering::SeqCst);
        }
        Self { gate, load, session, is_stream }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.is_stream {
            self.load.streams.fetch_sub(1, Ordering::AcqRel);
            return;
        }
        self.load.calls.fetch_sub(1, Ordering::AcqRel);
        self.gate.leave();
        self.session.bell().into_iter().for_each(Bell::ring);
    }
}
