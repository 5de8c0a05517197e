//! Tests that fork. A copy keeps the descriptors of other tests open after they are dropped, so these tests are a program
//! of their own, and take turns.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod budgets;
mod copies;
mod crowd;
mod kept;

use std::sync::MutexGuard;

/// Excludes the other tests.
fn alone() -> MutexGuard<'static, ()> {
    // Freed memory goes back to the kernel. Otherwise, a copy that measures its memory would reuse that of other tests
    // (mallopt(3)).
    #[cfg(target_env = "gnu")]
    // SAFETY: it changes no memory.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 * 1024)
    };
    datagrammar_tests::alone()
}

#[test]
fn all_tests_pass_eagerly() {
    datagrammar_tests::pass_eagerly();
}
