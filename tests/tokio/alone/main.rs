//! The async endpoints: tests that depend on state of the whole process, such as lanes and kept registrations, and tests
//! that fork, which keeps the descriptors of other tests open. They are a program of their own, and take turns.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]
#![allow(clippy::await_holding_lock, reason = "each test has a runtime and a thread of its own")]

mod allocations;
mod arrivals;
mod optional;
mod queue;
mod readiness;
#[allow(dead_code, reason = "some of it is for the other tests")]
#[path = "../queue/steps.rs"]
mod steps;
mod storm;

use std::ops::Deref;
use std::sync::mpsc;

use datagrammar_tests::alone;
use tokio::runtime::{Builder, Runtime};

/// A runtime of one thread whose clock is paused, so that no timer depends on the speed of the machine.
struct Frozen {
    // Dropped first, which ends the thread.
    _running: mpsc::Sender<()>,
    runtime: Runtime,
}

impl Frozen {
    fn new() -> Self {
        let runtime =
            Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (_running, ends) = mpsc::channel();
        // While a blocking task runs, an idle runtime does not advance its clock to the next timer.
        runtime.spawn_blocking(move || ends.recv());
        Self { _running, runtime }
    }
}

impl Deref for Frozen {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        &self.runtime
    }
}
