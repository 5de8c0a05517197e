//! Whose turn it is to send, among the senders of one connection in this process: a frame that goes in
//! pieces has the connection for itself, and a number of its own.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::wait::NotReady;
use crate::wait::Wait;

/// What the senders of a connection share.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    senders: Mutex<Senders>,
    /// Told when a turn ends, or is no longer waited for.
    changed: Condvar,
    /// That of the next frame in pieces.
    number: AtomicU32,
}

/// How many send, and wait.
#[derive(Debug, Default)]
struct Senders {
    /// Those that send a frame of one datagram: they do not wait for each other.
    small: u32,
    /// Whether one sends a frame alone.
    large: bool,
    /// Those that wait to send one alone. Others stand back, or none of these might ever get a turn.
    waiting: u32,
    /// Those that are to be woken: without any, ending a turn takes no system call.
    asleep: u32,
}

/// A turn, which ends with this value.
#[derive(Debug)]
pub(super) struct Turn<'t> {
    shared: &'t Shared,
    is_large: bool,
}

impl Turns {
    pub(crate) fn new() -> Self {
        // Another one than that of senders that know of no turns, such as those of another process.
        let number = RandomState::new().hash_one(0_u8) as u32;
        let (senders, changed) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { senders, changed, number: AtomicU32::new(number) }))
    }

    /// A number for a frame in pieces, by which they are known to belong together.
    pub(super) fn next_number(&self) -> u32 {
        self.0.number.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether there is no other sender: none can come into being while this is borrowed exclusively.
    #[inline]
    pub(super) fn is_alone(&mut self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Waits until nobody sends a frame alone, or waits to. Frames of one datagram do not wait for each
    /// other.
    ///
    /// The only sender there is takes no turns.
    #[inline]
    pub(super) fn small(&mut self, wait: Wait) -> Result<Option<Turn<'_>>, NotReady> {
        if self.is_alone() {
            return Ok(None);
        }
        let mut senders = self.0.lock();
        while senders.large || senders.waiting > 0 {
            senders = self.0.wait(senders, wait)?;
        }
        senders.small += 1;
        Ok(Some(Turn { shared: &self.0, is_large: false }))
    }

    /// Waits until nobody else sends.
    pub(super) fn large(&self, wait: Wait) -> Result<Turn<'_>, NotReady> {
        let mut senders = self.0.lock();
        senders.waiting += 1;
        let result = loop {
            if !senders.large && senders.small == 0 {
                senders.large = true;
                break Ok(Turn { shared: &self.0, is_large: true });
            }
            match self.0.wait(senders, wait) {
                Ok(woken) => senders = woken,
                Err(reason) => {
                    senders = self.0.lock();
                    break Err(reason);
                }
            }
        };
        senders.waiting -= 1;
        // Those that stood back for one that has given up may go.
        self.0.wake(senders);
        result
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Senders> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change.
    fn wait<'s>(
        &self,
        mut senders: MutexGuard<'s, Senders>,
        wait: Wait,
    ) -> Result<MutexGuard<'s, Senders>, NotReady> {
        let left = match wait.deadline()? {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        };
        if left.is_zero() {
            return Err(NotReady::TimedOut);
        }
        senders.asleep += 1;
        let waited = self.changed.wait_timeout(senders, left);
        let (mut senders, _) = waited.unwrap_or_else(PoisonError::into_inner);
        senders.asleep -= 1;
        Ok(senders)
    }

    fn wake(&self, senders: MutexGuard<'_, Senders>) {
        let asleep = senders.asleep;
        drop(senders);
        if asleep > 0 {
            self.changed.notify_all();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut senders = self.shared.lock();
        match self.is_large {
            true => senders.large = false,
            false => senders.small -= 1,
        }
        self.shared.wake(senders);
    }
}
