//! One epoll for many sockets.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use anyhow::Result;

/// The most sockets that one wait reports.
const EVENTS: usize = 64;

/// Reports readable sockets, level-triggered.
#[derive(Debug)]
pub(crate) struct Epoll(OwnedFd);

impl Epoll {
    /// `int epoll_create1(int flags)`; see [epoll_create(2)].
    ///
    /// [epoll_create(2)]: https://man7.org/linux/man-pages/man2/epoll_create.2.html
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: the call takes a number and touches no memory.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has opened it, and nothing else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Adds a socket under a number.
    ///
    /// `int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)`; see [epoll_ctl(2)].
    ///
    /// [epoll_ctl(2)]: https://man7.org/linux/man-pages/man2/epoll_ctl.2.html
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, number: usize) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: number as u64 };
        let (epoll, operation) = (self.0.as_raw_fd(), libc::EPOLL_CTL_ADD);
        // SAFETY: the pointer is to one event, which outlives the call and is only read. Both descriptors are
        // open for the call.
        let result = unsafe { libc::epoll_ctl(epoll, operation, fd.as_raw_fd(), &raw mut event) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits for readable sockets, and calls `visit` with the number of each.
    ///
    /// `int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout)`; see
    /// [epoll_wait(2)].
    ///
    /// [epoll_wait(2)]: https://man7.org/linux/man-pages/man2/epoll_wait.2.html
    pub(crate) fn wait(&self, mut visit: impl FnMut(usize) -> Result<()>) -> Result<()> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        // SAFETY: the pointer and the length are those of one array, exclusively borrowed for the call. The
        // descriptor is open.
        let count =
            unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), EVENTS as i32, -1) };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for &event in events.iter().take(count) {
            visit(event.u64 as usize)?;
        }
        Ok(())
    }
}
