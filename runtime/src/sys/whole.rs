//! Sends a datagram over AF_VSOCK, where an interrupted call may have sent part of it.

use std::io::{self, IoSlice};
use std::mem;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::time::{Duration, Instant};

use super::options::set_send_timeout;
use super::send::message_of;
use super::socket::DatagramFd;

/// In practice forever. With a timeout, the kernel does not restart the call after a signal handler with
/// SA_RESTART (signal(7)). It does restart it with a timeout longer than `MAX_SCHEDULE_TIMEOUT`.
const FOREVER: Duration = Duration::from_secs(20 * 24 * 60 * 60);

/// Signals that ask a process to end. They are not blocked.
const TERMINATION_SIGNALS: [libc::c_int; 4] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// Sends `slices` as one datagram to the connected peer, and waits for room until `deadline`. After EAGAIN and
/// EINTR, part of the datagram may have been sent. Blocks most signals of this thread meanwhile, so EINTR is
/// rare.
///
/// `ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags)`, with `MSG_NOSIGNAL`; see
/// send(2).
pub(crate) fn send_whole(
    fd: &DatagramFd,
    slices: &[IoSlice<'_>],
    deadline: Option<Instant>,
) -> io::Result<()> {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    set_send_timeout(fd.as_fd(), Some(left.unwrap_or(FOREVER).min(FOREVER)))?;
    let message = message_of(slices);
    let _blocked = BlockedSignals::new();
    // SAFETY: `message` points to `slices.len()` iovecs, each of which describes a slice; all of them
    // outlive the call and are only read. `fd` is open for the call, as it is borrowed.
    let sent =
        unsafe { libc::sendmsg(fd.as_fd().as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
    match sent {
        // Read errno before dropping `_blocked`, which makes another system call.
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Blocks this thread's signals until it is dropped.
struct BlockedSignals {
    before: libc::sigset_t,
}

impl BlockedSignals {
    /// `int pthread_sigmask(int how, const sigset_t *set, sigset_t *oldset)`; see pthread_sigmask(3).
    fn new() -> Self {
        // SAFETY: sigset_t is an array of numbers, for which zero bytes are valid.
        let mut all: libc::sigset_t = unsafe { mem::zeroed() };
        // SAFETY: the pointer is to a sigset_t, exclusively borrowed for the call.
        unsafe { libc::sigfillset(&raw mut all) };
        for signal in TERMINATION_SIGNALS {
            // SAFETY: as above, and the signal has a valid number.
            unsafe { libc::sigdelset(&raw mut all, signal) };
        }
        let mut before = all;
        // SAFETY: both pointers are to sigset_ts that outlive the call; the second is exclusively
        // borrowed. The call fails only for a bad `how`.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, &raw mut before) };
        Self { before }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: the pointer is to a sigset_t that outlives the call, and that `new` has filled. Null means
        // that the old mask is not wanted.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut())
        };
    }
}
