//! Whose turn it is to send, among the senders of one connection in this process: a frame that goes in
//! pieces has the connection for itself.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use super::wait::{MAX_PAUSE, NotReady, Wait};
use crate::backoff::Backoff;

/// What the senders of a connection share.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    turn: RwLock<()>,
    /// That of the next frame in pieces.
    number: AtomicU32,
}

impl Turns {
    pub(crate) fn new() -> Self {
        // Another one than that of senders that know of no turns, such as those of another process.
        let number = RandomState::new().hash_one(0_u8) as u32;
        Self(Arc::new(Shared { turn: RwLock::default(), number: AtomicU32::new(number) }))
    }

    /// A number for a frame in pieces, by which they are known to belong together.
    pub(super) fn next_number(&self) -> u32 {
        self.0.number.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits until no frame is under way in pieces. Frames of one datagram do not wait for each other.
    ///
    /// The only sender there is takes no turns. It is borrowed exclusively by who calls this, so that
    /// no other can come into being meanwhile.
    #[inline]
    pub(super) fn small(
        &mut self,
        wait: Wait,
    ) -> Result<Option<RwLockReadGuard<'_, ()>>, NotReady> {
        if Arc::strong_count(&self.0) == 1 {
            return Ok(None);
        }
        self.shared(wait).map(Some)
    }

    #[cold]
    fn shared(&self, wait: Wait) -> Result<RwLockReadGuard<'_, ()>, NotReady> {
        if let Wait::Block = wait {
            return Ok(self.0.turn.read().unwrap_or_else(PoisonError::into_inner));
        }
        let mut backoff = Backoff::up_to(MAX_PAUSE);
        loop {
            match self.0.turn.try_read() {
                Ok(turn) => return Ok(turn),
                Err(TryLockError::Poisoned(turn)) => return Ok(turn.into_inner()),
                Err(TryLockError::WouldBlock) => wait.pause(&mut backoff)?,
            }
        }
    }

    /// Waits until no other frame is being sent.
    pub(super) fn large(&self, wait: Wait) -> Result<RwLockWriteGuard<'_, ()>, NotReady> {
        if let Wait::Block = wait {
            return Ok(self.0.turn.write().unwrap_or_else(PoisonError::into_inner));
        }
        let mut backoff = Backoff::up_to(MAX_PAUSE);
        loop {
            match self.0.turn.try_write() {
                Ok(turn) => return Ok(turn),
                Err(TryLockError::Poisoned(turn)) => return Ok(turn.into_inner()),
                Err(TryLockError::WouldBlock) => wait.pause(&mut backoff)?,
            }
        }
    }
}
