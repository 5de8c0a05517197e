//! Calls wakers, which are foreign code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakes all, even if a waker panics. The panic hook has then reported the panic.
#[inline]
pub(super) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(|waker| {
        _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    });
}
