//! Growing, random pauses between retries.

use std::thread;
use std::time::{Duration, Instant};

use crate::sys;

/// A series of growing pauses between retries, such as accepting while descriptors have run out, or
/// connecting to a server that is not up yet.
///
/// A bound doubles with each pause. The pause is a random value in the upper half of the bound, so processes
/// that fail together do not retry together.
///
/// ```no_run
/// use datagrammar::{Backoff, Listener};
/// # #[derive(datagrammar::Message)]
/// # enum Ping { #[message(tag = 1)] Ping }
///
/// let listener = Listener::<Ping, Ping>::bind(&"unix:/run/ping.sock".parse()?)?;
/// let mut backoff = Backoff::new();
/// loop {
///     match listener.accept() {
///         Ok(connection) => {
///             backoff.reset();
///             drop(connection); // serve it
///         }
///         Err(error) if error.is_fatal() => return Err(error.into()),
///         // Out of descriptors, or over a `Budget`. The client stays in the backlog: accepting again
///         // immediately would spin.
///         Err(_) => backoff.wait(),
///     }
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Backoff {
    bound: Duration,
    max: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(1);
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

    /// Creates a series of pauses of up to 1 ms, 2 ms, 4 ms and so on, up to 1 s.
    #[must_use]
    pub fn new() -> Self {
        Self::up_to(Duration::from_secs(1))
    }

    /// Creates a series of pauses of up to 1 ms, 2 ms, 4 ms and so on, up to `max`, or up to 24 hours if that
    /// is less.
    #[must_use]
    pub fn up_to(max: Duration) -> Self {
        let max = max.min(Self::LONGEST);
        Self { bound: Self::FIRST.min(max), max }
    }

    /// Restarts the series with the shortest pause. Call this after a success.
    pub fn reset(&mut self) {
        self.bound = Self::FIRST.min(self.max);
    }

    /// Returns the next pause, for a caller that does not use [`wait`](Self::wait).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let mut backoff = datagrammar::Backoff::new();
    /// assert!(backoff.next_pause() <= Duration::from_millis(1));
    /// assert!(backoff.next_pause() >= Duration::from_millis(1));
    ///
    /// let mut patient = datagrammar::Backoff::up_to(Duration::MAX);
    /// assert!((0..100).all(|_| patient.next_pause() <= Duration::from_secs(24 * 60 * 60)));
    /// ```
    #[must_use]
    pub fn next_pause(&mut self) -> Duration {
        let bound = self.bound;
        self.bound = (bound * 2).min(self.max);
        let half = bound / 2;
        half + (bound - half).mul_f64(f64::from(sys::random()) / f64::from(u32::MAX))
    }

    /// Sleeps for the next pause.
    pub fn wait(&mut self) {
        thread::sleep(self.next_pause());
    }

    /// Sleeps for the next pause, but not past `deadline`. Returns `false` if it reached the deadline.
    pub(crate) fn wait_until(&mut self, deadline: Option<Instant>) -> bool {
        let pause = self.next_pause();
        let Some(deadline) = deadline else {
            thread::sleep(pause);
            return true;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        thread::sleep(pause.min(left));
        pause < left
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}
