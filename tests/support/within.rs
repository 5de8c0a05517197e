//! A deadline for what would hang if the code were broken.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, Builder};
use std::time::Duration;

/// How often to wait, and for how long each time: a minute in all. A process that was stopped for longer loses only one
/// of these waits.
const WAITS: u32 = 600;
const WAIT: Duration = Duration::from_millis(100);

/// Runs `act` on another thread, and returns its result. `what` says what `act` waits for.
///
/// The thread has the name of this one: see [`skipped`](crate::skipped).
///
/// # Panics
///
/// If `act` panics, or does not end within a minute. Then its thread is left behind.
#[track_caller]
pub fn within<T: Send + 'static>(what: &str, act: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, has_ended) = channel();
    let mut thread = Builder::new();
    if let Some(name) = thread::current().name() {
        thread = thread.name(name.to_owned());
    }
    let acting = thread.spawn(move || _ = tell.send(act())).expect("a thread");
    for _ in 0..WAITS {
        match has_ended.recv_timeout(WAIT) {
            Ok(result) => {
                acting.join().expect("it has ended");
                return result;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => match acting.join() {
                Err(panic) => resume_unwind(panic),
                Ok(()) => unreachable!("it sends its result"),
            },
        }
    }
    panic!("not within {:?}: {what}", WAITS * WAIT);
}
