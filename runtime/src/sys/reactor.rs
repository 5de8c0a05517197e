//! Registers descriptors with the reactor of a tokio runtime.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::time;

use super::socket::DatagramFd;

/// A value that keeps a descriptor open.
///
/// # Safety
///
/// While the value exists and is only borrowed, `as_raw_fd` returns the number of one open descriptor.
pub(crate) unsafe trait StableFd: AsRawFd {}

// SAFETY: it closes its descriptor only when it is dropped, and has no method that changes it.
unsafe impl StableFd for OwnedFd {}

// SAFETY: `as_raw_fd` returns the number of its `owner`, an `OwnedFd` that lives as long as it does.
unsafe impl StableFd for DatagramFd {}

/// Registers `fd` with the reactor of the current runtime. Fails with the errors of epoll_ctl(2).
///
/// # Panics
///
/// Outside a runtime, and in one whose I/O or time driver is not enabled.
#[track_caller]
pub(crate) fn register<T: StableFd>(fd: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // Panics now if there is no time driver. Most calls never pause, so the panic could otherwise come much later.
    drop(time::sleep(Duration::ZERO));
    // SAFETY: `StableFd` promises what tokio requires: one open descriptor while the `AsyncFd` owns `fd`. This
    // crate does not call `get_mut`, so `fd` is only borrowed until then.
    let registered = unsafe { AsyncFd::register_with_interest(fd, interest) };
    registered.map_err(|error| error.into_parts().1)
}

/// Registers a duplicate of `fd`, because the reactor registers each descriptor only once.
///
/// # Panics
///
/// As [`register`].
#[track_caller]
pub(crate) fn register_duplicate(
    fd: BorrowedFd<'_>,
    interest: Interest,
) -> io::Result<AsyncFd<OwnedFd>> {
    register(fd.try_clone_to_owned()?, interest)
}
