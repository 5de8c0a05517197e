//! Properties of this process, and the state of its children.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, Child, ExitStatus};
use std::ptr;

use super::errno::retry;
use super::fs::file_system;

/// The state of a child.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChildState {
    /// It runs.
    Running,
    /// It has ended with this status, and is reaped. The kernel may reuse its process id.
    Ended(ExitStatus),
    /// It has ended with an unknown status: something else has waited for it, or SIGCHLD is ignored.
    Lost,
}

/// Opens a descriptor of a child that has not been waited for. See [pidfd_open(2)].
///
/// [pidfd_open(2)]: https://man7.org/linux/man-pages/man2/pidfd_open.2.html
pub(crate) fn pidfd_of(child: &Child) -> io::Result<OwnedFd> {
    pidfd_open(child.id())
}

/// Kills a child that runs. See [pidfd_send_signal(2)] and [kill(2)].
///
/// [pidfd_send_signal(2)]: https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html
/// [kill(2)]: https://man7.org/linux/man-pages/man2/kill.2.html
pub(crate) fn kill(child: &mut Child, pidfd: Option<BorrowedFd<'_>>) -> io::Result<()> {
    // By process id, which the kernel does not reuse before the child is waited for.
    let Some(pidfd) = pidfd else { return child.kill() };
    let no_details = ptr::null::<libc::siginfo_t>();
    let killed = retry(|| {
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
    });
    match killed {
        // It has already ended.
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        // A sandbox may refuse the call and allow kill(2).
        Err(_) => child.kill(),
        Ok(_) => Ok(()),
    }
}

/// Waits for a child to end. Only checks whether it has, if not `block`.
pub(crate) fn wait_for(
    child: &mut Child,
    pidfd: Option<BorrowedFd<'_>>,
    block: bool,
) -> io::Result<ChildState> {
    let waited = match pidfd.map(|pidfd| wait_for_pidfd(pidfd, block)) {
        Some(Err(error)) if error.raw_os_error() != Some(libc::ECHILD) => None,
        waited => waited,
    };
    // By process id, as above, without a descriptor, or if it cannot be waited for (before Linux 5.4).
    let waited = waited.unwrap_or_else(|| match block {
        true => child.wait().map(Some),
        false => child.try_wait(),
    });
    match waited {
        Ok(Some(status)) => Ok(ChildState::Ended(status)),
        Ok(None) => Ok(ChildState::Running),
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(ChildState::Lost),
        Err(error) => Err(error),
    }
}

/// Waits for the child of a pidfd to end, and returns its status. Returns `None` if it still runs and the call
/// does not `block`. ECHILD if something else has waited for it. See [waitid(2)], `P_PIDFD`.
///
/// [waitid(2)]: https://man7.org/linux/man-pages/man2/waitid.2.html
fn wait_for_pidfd(pidfd: BorrowedFd<'_>, block: bool) -> io::Result<Option<ExitStatus>> {
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
    // The encoding of wait(2).
    Ok(match info.si_code {
        libc::CLD_EXITED => Some(ExitStatus::from_raw(status << 8)),
        libc::CLD_KILLED => Some(ExitStatus::from_raw(status)),
        libc::CLD_DUMPED => Some(ExitStatus::from_raw(status | 0x80)),
        _ => None,
    })
}

/// Returns the inode number of this process in pidfs, which is unique since boot. Needs [pidfd_open(2)] and
/// Linux 6.9; otherwise returns `None`.
///
/// [pidfd_open(2)]: https://man7.org/linux/man-pages/man2/pidfd_open.2.html
pub(crate) fn own_pidfd_inode() -> Option<u64> {
    // Other targets truncate inode numbers to 32 bits.
    if cfg!(not(target_pointer_width = "64")) {
        return None;
    }
    let pidfd = pidfd_open(process::id()).ok()?;
    match file_system(pidfd.as_fd()).ok()? {
        PID_FS_MAGIC => Some(File::from(pidfd).metadata().ok()?.ino()),
        _ => None,
    }
}

/// `PID_FS_MAGIC` of linux/magic.h. Before Linux 6.9, all pidfds share one inode of another file system.
const PID_FS_MAGIC: u64 = 0x5049_4446;

fn pidfd_open(id: u32) -> io::Result<OwnedFd> {
    let fd = retry(|| {
        // SAFETY: no memory is involved, as the arguments are numbers.
        unsafe { libc::syscall(libc::SYS_pidfd_open, id as libc::pid_t, 0) }
    })?;
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: pidfd_open succeeded, so this is an open descriptor, closed on exec, and nobody else has
    // it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Returns the effective user of this process. See [geteuid(2)].
///
/// [geteuid(2)]: https://man7.org/linux/man-pages/man2/geteuid.2.html
pub(crate) fn effective_uid() -> u32 {
    // SAFETY: no memory is involved, and the call cannot fail.
    unsafe { libc::geteuid() }
}

/// Returns how many descriptors this process may have open, if it has reached that limit. `RLIMIT_NOFILE`; see
/// [getrlimit(2)].
///
/// [getrlimit(2)]: https://man7.org/linux/man-pages/man2/getrlimit.2.html
#[allow(clippy::useless_conversion, reason = "`rlim_t` has 32 bits on some targets")]
pub(crate) fn open_file_limit(fd: BorrowedFd<'_>) -> Option<u64> {
    match fd.try_clone_to_owned() {
        Err(error) if error.raw_os_error() == Some(libc::EMFILE) => {}
        _ => return None,
    }
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to an rlimit, exclusively borrowed for the call.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } {
        0 => Some(limit.rlim_cur.into()),
        _ => None,
    }
}
