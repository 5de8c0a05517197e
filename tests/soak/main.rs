//! Uses connections, sockets and calls at random, under faults, and compares them with simple models.
//! `DATAGRAMMAR_FRAMES` sets the length of a run.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod calls;
mod connections;
mod note;
mod sockets;
mod storm;
mod watch;

use std::sync::MutexGuard;

use tokio::runtime::Builder;

/// Waits until no other test runs. The first runtime opens descriptors for signals, which stay open: the tests count
/// descriptors.
fn alone() -> MutexGuard<'static, ()> {
    let alone = datagrammar_tests::alone();
    drop(Builder::new_current_thread().enable_all().build().unwrap());
    alone
}
