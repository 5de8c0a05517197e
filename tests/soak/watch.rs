//! Ends a program that hangs: a thread that waits for ever holds up the failure of its test.

use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Longer than any round takes, also if the process is stopped for a while.
const PATIENCE: Duration = Duration::from_secs(400);

/// Ends the process unless it is dropped in time.
pub(crate) struct Watch(#[expect(dead_code, reason = "its end tells")] Sender<()>);

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
