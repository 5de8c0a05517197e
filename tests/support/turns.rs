//! Tests that take turns.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Excludes the other tests of this program, for tests that depend on state of the whole process.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
