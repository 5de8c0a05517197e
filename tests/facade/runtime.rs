//! The runtime that all endpoints are registered with, and the ways to wait on it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use datagrammar::{SendAllError, SendError, Wait};
use tokio::runtime::{Builder, Runtime};
use tokio::time;

/// How long to pause between two tries.
const PAUSE: Duration = Duration::from_micros(500);

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build();
        runtime.expect("a runtime")
    })
}

/// Runs `open`, which registers with the reactor.
pub(crate) fn enter<T>(open: impl FnOnce() -> T) -> T {
    let _entered = runtime().enter();
    open()
}

/// Waits for `future` in this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// Waits for `future` in this thread until `deadline`, or returns `None`.
pub(crate) fn block_until<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    block_on(async { time::timeout_at(deadline.into(), future).await.ok() })
}

/// Repeats `attempt`, which sends without waiting, until it returns something other than `WouldBlock`, or until the
/// deadline passes.
pub(crate) fn retry<T>(
    wait: Wait,
    mut attempt: impl FnMut() -> Result<T, SendError>,
) -> Result<T, SendError> {
    loop {
        match (attempt(), wait) {
            (Err(SendError::WouldBlock { len }), Wait::Until(deadline)) => {
                if Instant::now() >= deadline {
                    return Err(SendError::TimedOut { len });
                }
            }
            (result, _) => return result,
        }
        pause();
    }
}

/// Like [`retry`], for several messages. `attempt` gets the number of messages sent earlier.
pub(crate) fn retry_all(
    wait: Wait,
    mut attempt: impl FnMut(usize) -> Result<usize, SendAllError>,
) -> Result<usize, SendAllError> {
    let mut sent = 0;
    loop {
        let mut stopped = match attempt(sent) {
            Ok(count) => return Ok(sent + count),
            Err(stopped) => stopped,
        };
        sent += stopped.sent;
        stopped.sent = sent;
        match (&stopped.error, wait) {
            (&SendError::WouldBlock { len }, Wait::Until(deadline)) => {
                if Instant::now() >= deadline {
                    stopped.error = SendError::TimedOut { len };
                    return Err(stopped);
                }
            }
            _ => return Err(stopped),
        }
        pause();
    }
}

fn pause() {
    block_on(async { time::sleep(PAUSE).await });
}
