//! Processes: what this one is and may do, what it has inherited, and what its children inherit.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};

use super::errno::retry;

/// Where the descriptors begin that are no standard streams.
const FIRST: RawFd = 3;

/// Lets the child have its standard streams and no other descriptor, whatever this process has open.
///
/// `int close_range(unsigned int first, unsigned int last, int flags)` with `CLOSE_RANGE_CLOEXEC`, since
/// Linux 5.11; see [close_range(2)]. Descriptors are marked and not closed, as the standard library
/// needs one of them to tell the parent that the program could not be started.
///
/// [close_range(2)]: https://man7.org/linux/man-pages/man2/close_range.2.html
pub(crate) fn inherit_streams_alone(command: &mut Command) {
    let mark = || {
        // SAFETY: no memory is involved, as the arguments are numbers.
        let marked = unsafe {
            libc::syscall(
                libc::SYS_close_range,
                FIRST as libc::c_uint,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            )
        };
        match marked {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec, `mark` makes one system call and reads errno: it allocates nothing,
    // takes no lock, and touches no memory of other threads (fork(2), signal-safety(7)).
    unsafe { command.pre_exec(mark) };
}

/// Leaves an empty standard input in the place of the one that there is.
pub(crate) fn empty_stdin() -> io::Result<()> {
    let null = File::open("/dev/null")?;
    retry(|| {
        // SAFETY: no memory is involved. `null` is open for the call, and descriptor 0 is the standard
        // input, which nobody owns: it is replaced, and never closed.
        unsafe { libc::dup2(null.as_raw_fd(), libc::STDIN_FILENO) }
    })?;
    Ok(())
}

/// Takes over the `count` descriptors that this process was started with after its standard streams,
/// and marks them to be closed on exec. Only the first call takes any.
///
/// EBADF, and none is taken, if one of them is not open, or is marked already: that one was opened since
/// then, by the standard library or this crate, and belongs to somebody.
pub(crate) fn take_inherited(count: usize) -> io::Result<Vec<OwnedFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    let last = RawFd::try_from(count).ok().and_then(|count| FIRST.checked_add(count));
    let last = last.ok_or(io::ErrorKind::InvalidInput)?;
    for fd in FIRST..last {
        // SAFETY: no memory is involved, and a number that is not an open descriptor is an error.
        let flags = retry(|| unsafe { libc::fcntl(fd, libc::F_GETFD) })?;
        if flags & libc::FD_CLOEXEC != 0 {
            return Err(io::Error::from_raw_os_error(libc::EBADF));
        }
    }
    for fd in FIRST..last {
        // SAFETY: as above.
        retry(|| unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    }
    // SAFETY: each is open, and is not marked to be closed on exec, as everything is that the standard
    // library and this crate open: so it came through exec, and sd_listen_fds(3) gives it to this process
    // alone. That nothing else in it has taken it over is what `activated` asks of its caller; this function
    // does so once.
    Ok((FIRST..last).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }).collect())
}

/// A descriptor of a child that has not been waited for. See [pidfd_open(2)].
///
/// [pidfd_open(2)]: https://man7.org/linux/man-pages/man2/pidfd_open.2.html
pub(crate) fn pidfd_of(child: &std::process::Child) -> io::Result<OwnedFd> {
    let fd = retry(|| {
        // SAFETY: no memory is involved, as the arguments are numbers.
        unsafe { libc::syscall(libc::SYS_pidfd_open, child.id() as libc::pid_t, 0) }
    })?;
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: pidfd_open succeeded, so this is an open descriptor, closed on exec, and nobody else has
    // it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Kills the process of a pidfd; ESRCH if it has been waited for. See [pidfd_send_signal(2)].
///
/// [pidfd_send_signal(2)]: https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html
pub(crate) fn kill(pidfd: BorrowedFd<'_>) -> io::Result<()> {
    let no_details = std::ptr::null::<libc::siginfo_t>();
    retry(|| {
        // SAFETY: a null pointer to details is allowed, and then there are none. `pidfd` is open for the
        // call, as it is borrowed.
        unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                pidfd.as_raw_fd(),
                libc::SIGKILL,
                no_details,
                0,
            )
        }
    })?;
    Ok(())
}

/// Waits for the child of a pidfd to end, and how it did; `None` if it has not, and the call does not
/// `block`. ECHILD if somebody else has waited for it. See [waitid(2)], `P_PIDFD`.
///
/// [waitid(2)]: https://man7.org/linux/man-pages/man2/waitid.2.html
pub(crate) fn wait_for(pidfd: BorrowedFd<'_>, block: bool) -> io::Result<Option<ExitStatus>> {
    let options = libc::WEXITED | if block { 0 } else { libc::WNOHANG };
    let id = pidfd.as_raw_fd().cast_unsigned();
    // SAFETY: siginfo_t is numbers and unions of them and pointers, for which zero bytes are valid.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    retry(|| {
        // SAFETY: the pointer is to a siginfo_t, exclusively borrowed for the call. `pidfd` is open for
        // the call, as it is borrowed.
        unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, options) }
    })?;
    // SAFETY: waitid has filled the fields of a child's end, or left them zero for a child that runs.
    let status = unsafe { info.si_status() };
    // As wait(2) puts them together.
    Ok(match info.si_code {
        libc::CLD_EXITED => Some(ExitStatus::from_raw(status << 8)),
        libc::CLD_KILLED => Some(ExitStatus::from_raw(status)),
        libc::CLD_DUMPED => Some(ExitStatus::from_raw(status | 0x80)),
        _ => None,
    })
}

/// The user that this process runs as. See [geteuid(2)].
///
/// [geteuid(2)]: https://man7.org/linux/man-pages/man2/geteuid.2.html
pub(crate) fn effective_uid() -> u32 {
    // SAFETY: no memory is involved, and the call cannot fail.
    unsafe { libc::geteuid() }
}

/// If this process cannot open one descriptor more: how many it may have open. `RLIMIT_NOFILE`; see
/// [getrlimit(2)].
///
/// [getrlimit(2)]: https://man7.org/linux/man-pages/man2/getrlimit.2.html
pub(crate) fn open_file_limit(fd: BorrowedFd<'_>) -> Option<u64> {
    match fd.try_clone_to_owned() {
        Err(error) if error.raw_os_error() == Some(libc::EMFILE) => {}
        _ => return None,
    }
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to an rlimit, exclusively borrowed for the call.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } {
        0 => Some(limit.rlim_cur),
        _ => None,
    }
}
