//! The pool of lanes. A receiver holds a lane while it has something in it, and none while it waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, TryLockError};

use crate::sys::{LANE_LEN, Lane};

/// How much memory an idle lane keeps for its next user, in bytes.
const MAX_KEPT: usize = 256 * 1024;

/// The shortest lane that is tried where address space is short. It holds what a send buffer of the
/// default size lets through.
const SHORT_LEN: usize = 256 * 1024;

/// Lanes in use at once, from which on receivers copy their frames rather than hold on to a lane.
const CROWD: usize = 16;

/// Idle lanes. A slot is only ever tried, and never waited for: after a fork, a slot that another
/// thread of the parent held stays locked for ever, and the others serve.
static IDLE: [Mutex<Option<Lane>>; 4] = [const { Mutex::new(None) }; 4];

static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// Takes a lane of the pool, or a new one, for datagrams of `len` bytes. `None` where there is no
/// address space for one.
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

/// Gives back a lane that [`take`] returned. What it holds is lost.
#[inline]
pub(super) fn give_back(mut lane: Lane) {
    IN_USE.fetch_sub(1, Ordering::Relaxed);
    if lane.len() != LANE_LEN {
        return;
    }
    if lane.resident() > MAX_KEPT {
        lane.trim(MAX_KEPT);
    }
    let mut lane = Some(lane);
    with_idle(|slot| {
        if slot.is_none() {
            *slot = lane.take();
        }
        lane.is_none().then_some(())
    });
}

/// Whether so many lanes are in use that each is better given back soon.
#[inline]
pub(super) fn is_crowded() -> bool {
    IN_USE.load(Ordering::Relaxed) > CROWD
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
