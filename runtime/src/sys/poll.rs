//! Waits for a descriptor, with an absolute deadline.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::time::Instant;

/// What to wait for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Readiness {
    Readable,
    Writable,
    Either,
    /// Both directions of the connection are closed, as after the peer has closed it.
    HungUp,
}

/// Waits until `fd` is ready, has failed, or its peer has closed. Returns `false` if `deadline` passes first.
/// Signals do not prolong the wait: the timeout is computed again after each.
///
/// `int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *tmo, const sigset_t *mask)`;
/// see poll(2).
pub(crate) fn wait(
    fd: BorrowedFd<'_>,
    readiness: Readiness,
    deadline: Option<Instant>,
) -> io::Result<bool> {
    let events = match readiness {
        Readiness::Readable => libc::POLLIN,
        Readiness::Writable => libc::POLLOUT,
        Readiness::Either => libc::POLLIN | libc::POLLOUT,
        // poll(2) reports POLLHUP and POLLERR even if nothing is asked for.
        Readiness::HungUp => 0,
    };
    poll(&mut [libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 }], deadline)
}

/// Returns whether both directions of a connection are closed, as after the peer has closed it, or whether `fd` has
/// failed: `POLLHUP` and `POLLERR` of poll(2).
pub(crate) fn has_hung_up(fd: BorrowedFd<'_>) -> bool {
    wait(fd, Readiness::HungUp, Some(Instant::now())).unwrap_or(false)
}

/// Waits like [`wait`] for several descriptors. Ignores negative ones (poll(2)).
pub(super) fn poll(fds: &mut [libc::pollfd], deadline: Option<Instant>) -> io::Result<bool> {
    let count = fds.len() as libc::nfds_t;
    loop {
        let timeout = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            libc::timespec {
                tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
                tv_nsec: left.subsec_nanos().cast_signed().into(),
            }
        });
        let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: `fds` is `count` pollfds, exclusively borrowed for the call; `timeout` is null or
        // points to a timespec that outlives the call; a null mask is allowed and leaves the signal
        // mask alone.
        let ready = unsafe { libc::ppoll(fds.as_mut_ptr(), count, timeout, ptr::null()) };
        if ready >= 0 {
            return Ok(ready > 0);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
