//! Tests that take turns.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Holds off the other tests of this program: for tests that depend on what all of a process share.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
