//! Aborts a test that hangs: a thread that waits forever would also keep a failed test from ending.

use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Longer than any round takes, even if the process is stopped for a minute.
const PATIENCE: Duration = Duration::from_secs(400);

/// Aborts the process unless it is dropped in time.
pub(crate) struct Watch(#[expect(dead_code, reason = "dropping it ends the wait")] Sender<()>);

impl Watch {
    pub(crate) fn begin(what: String) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            if receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{what} hangs");
                process::abort();
            }
        });
        Self(sender)
    }
}
