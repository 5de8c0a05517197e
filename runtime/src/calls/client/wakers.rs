//! Who waits for what was received.

use std::task::Waker;

use crate::calls::wake::wake_all;

/// The most further wakers for which an empty list keeps memory.
const MAX_KEPT: usize = 128;

/// Wakers of tasks and threads, which are woken together: a task that is woken while its client still receives competes
/// with it for the calls. Dropping the list wakes them, too.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    /// Needs no memory.
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
