//! What a receiver has read before the reactor reported it.

use std::task::{Context, Poll};

/// The number of frames in a row before other tasks run. It is also tokio's budget of a task.
const FRAMES: u8 = 128;

/// Whether a receiver holds what it read before the reactor reported it, as before the registration: no event
/// comes for that.
#[derive(Debug)]
pub(super) struct Unread {
    is_there: bool,
    /// How many frames may still be taken from there before other tasks run.
    left: u8,
}

impl Unread {
    pub(super) fn new(is_there: bool) -> Self {
        Self { is_there, left: FRAMES }
    }

    pub(super) fn set(&mut self, is_there: bool) {
        self.is_there = is_there;
    }

    /// Returns whether to receive from there. As the reactor is not asked, tokio's budget does not count that:
    /// after many frames, this lets other tasks run first.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.is_there {
            return Poll::Ready(false);
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Poll::Ready(true)
            }
            None => {
                self.left = FRAMES;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}
