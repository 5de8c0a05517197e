//! The wakers of calls that have received a part.

use std::task::Waker;

use crate::calls::wake::wake_all;

/// The most further wakers for which an empty list keeps memory.
const MAX_KEPT: usize = 128;

/// Wakers of tasks and threads, to be woken together after receiving: a task that is woken earlier would compete with
/// its client for the lock of the calls. Dropping the list wakes them, too.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    /// The only waker, usually. It needs no memory.
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl Wakers {
    #[inline]
    pub(super) fn add(&mut self, waker: Option<Waker>) {
        match self.first {
            None => self.first = waker,
            Some(_) => self.others.extend(waker),
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    #[inline]
    pub(crate) fn wake(&mut self) {
        wake_all(self.first.take().into_iter().chain(self.others.drain(..)));
        self.others.shrink_to(MAX_KEPT);
    }
}

impl Drop for Wakers {
    fn drop(&mut self) {
        self.wake();
    }
}
