//! Marks that a tracer of system calls sees: from which call on a thread works for which side.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// For whom a thread works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Nobody,
    Sender,
    Receiver,
}

static TRACED: AtomicBool = AtomicBool::new(false);

/// From now on, marks are made.
pub(crate) fn begin() {
    TRACED.store(true, Relaxed);
}

/// From now on, no marks are made.
pub(crate) fn end() {
    TRACED.store(false, Relaxed);
}

/// What this thread calls from now on, it calls for `side`.
pub(crate) fn mark(side: Side) {
    if TRACED.load(Relaxed) {
        // SAFETY: getpgid(2) takes a number and touches no memory. Nobody has that number: it is above all
        // that the kernel gives out, and the call fails.
        let _: i32 = unsafe { libc::getpgid(side.number()) };
    }
}

impl Side {
    pub(crate) const ALL: [Self; 3] = [Self::Nobody, Self::Sender, Self::Receiver];

    /// How the mark begins in what the tracer writes: it may come to its end on another line.
    pub(crate) fn call(self) -> String {
        format!("getpgid({}", self.number())
    }

    /// Above the kernel's PID_MAX_LIMIT, 2²².
    fn number(self) -> libc::pid_t {
        0x5EED_0000 + self as libc::pid_t
    }
}
