//! The pool of lanes: a receiver has some while they hold frames of its, and none while it has nothing.

use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sys::{Lanes, MAX_LANES};

/// How much memory one lane may keep for the next receiver, in bytes.
const MAX_KEPT: usize = 128 * 1024;

/// How much memory may be under many lanes before it is given back, and under each of them after that.
const MAX_KEPT_IN_ALL: usize = 256 * 1024;
const KEPT_IN_EACH: usize = MAX_KEPT_IN_ALL / MAX_LANES;

/// How many are kept of each width.
const MAX_IDLE: usize = 4;

type Idle = [Option<Lanes>; MAX_IDLE];

static SINGLE: Mutex<Idle> = Mutex::new([const { None }; MAX_IDLE]);
static MANY: Mutex<Idle> = Mutex::new([const { None }; MAX_IDLE]);

/// How many lanes a receiver needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// One.
    Single,
    /// As many as one call fills.
    Many,
}

/// Lanes that go back to the pool when this is dropped.
#[derive(Debug)]
pub(super) struct Loan {
    width: Width,
    lanes: Lanes,
}

impl Loan {
    /// Lanes of the pool, or new ones. `None` where none can be had: see [`Lanes::reserve`].
    #[inline]
    pub(super) fn take(width: Width) -> Option<Self> {
        let idle = width.idle().iter_mut().rev().find_map(Option::take);
        let lanes = match idle {
            Some(lanes) => lanes,
            None => Lanes::reserve(width.count()).ok()?,
        };
        Some(Self { width, lanes })
    }

    pub(super) fn width(&self) -> Width {
        self.width
    }
}

impl Width {
    fn count(self) -> usize {
        match self {
            Self::Single => 1,
            Self::Many => MAX_LANES,
        }
    }

    fn idle(self) -> MutexGuard<'static, Idle> {
        let idle = match self {
            Self::Single => &SINGLE,
            Self::Many => &MANY,
        };
        idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Loan {
    type Target = Lanes;

    #[inline]
    fn deref(&self) -> &Lanes {
        &self.lanes
    }
}

impl DerefMut for Loan {
    #[inline]
    fn deref_mut(&mut self) -> &mut Lanes {
        &mut self.lanes
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut lanes = mem::replace(&mut self.lanes, Lanes::none());
        let (kept, kept_in_each) = match self.width {
            Width::Single => (MAX_KEPT, MAX_KEPT),
            Width::Many => (MAX_KEPT_IN_ALL, KEPT_IN_EACH),
        };
        if lanes.resident_in_all() > kept {
            lanes.trim(kept_in_each);
        }
        let mut idle = self.width.idle();
        if let Some(place) = idle.iter_mut().find(|place| place.is_none()) {
            *place = Some(lanes);
        }
    }
}
