//! Tests that fork. A copy keeps the descriptors of other tests open after they are dropped, so these tests are a program
//! of their own, and take turns.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod budgets;
mod copies;
mod crowd;
mod kept;

use std::sync::MutexGuard;

/// Holds off the other tests.
fn alone() -> MutexGuard<'static, ()> {
    // Memory that a test frees goes back to the kernel: a copy that measures its memory would use it again (mallopt(3)).
    #[cfg(target_env = "gnu")]
    // SAFETY: it changes no memory.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 * 1024)
    };
    datagrammar_tests::alone()
}
