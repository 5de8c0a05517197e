//! The pool of idle lanes. A receiver holds a lane while it contains data, and none while it waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, TryLockError};

use crate::sys::{LANE_LEN, Lane};

/// The most memory that an idle lane keeps, in bytes.
const MAX_KEPT: usize = 256 * 1024;

/// The length of a lane if address space is short, in bytes. It fits any datagram from a send buffer of the
/// default size.
const SHORT_LEN: usize = 256 * 1024;

/// The number of lanes in use above which receivers copy frames out of their lanes.
const BUSY_THRESHOLD: usize = 16;

/// Idle lanes. Use only `try_lock`: after a fork, a slot that another thread of the parent held stays locked
/// forever. The other slots still work.
static IDLE: [Mutex<Option<Lane>>; 4] = [const { Mutex::new(None) }; 4];

static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// Takes a lane from the pool, or a new one, for datagrams of `len` bytes. Returns `None` without address
/// space.
#[inline]
pub(super) fn take(len: usize) -> Option<Lane> {
    let idle = if len == LANE_LEN { with_idle(Option::take) } else { None };
    let lane = match idle {
        Some(lane) => lane,
        None => Lane::reserve(len).or_else(|_| Lane::reserve(SHORT_LEN)).ok()?,
    };
    IN_USE.fetch_add(1, Ordering::Relaxed);
    Some(lane)
}

/// Returns a lane from [`take`] to the pool. Its contents are lost.
#[inline]
pub(super) fn give_back(mut lane: Lane) {
    IN_USE.fetch_sub(1, Ordering::Relaxed);
    if lane.len() != LANE_LEN {
        return;
    }
    lane.trim(MAX_KEPT);
    let mut lane = Some(lane);
    with_idle(|slot| {
        if slot.is_none() {
            *slot = lane.take();
        }
        lane.is_none().then_some(())
    });
}

/// Returns whether so many lanes are in use that receivers should release theirs.
#[inline]
pub(super) fn is_busy() -> bool {
    IN_USE.load(Ordering::Relaxed) > BUSY_THRESHOLD
}

/// Returns whether all lanes in use could be returned, and none would have to be unmapped.
#[inline]
pub(super) fn has_place_for_all() -> bool {
    IN_USE.load(Ordering::Relaxed) <= IDLE.len()
}

/// Calls `with` for each slot of the pool until it returns something.
#[inline]
fn with_idle<T>(mut with: impl FnMut(&mut Option<Lane>) -> Option<T>) -> Option<T> {
    IDLE.iter().find_map(|slot| match slot.try_lock() {
        Ok(mut slot) => with(&mut slot),
        Err(TryLockError::Poisoned(slot)) => with(&mut slot.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    })
}
