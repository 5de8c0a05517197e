//! Child processes: kills them, and waits for their ends.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::ptr;

use super::errno::retry;

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

/// Kills a child that runs. See pidfd_send_signal(2) and kill(2).
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

/// Waits for a child to end if `block`; otherwise, only checks whether it has ended.
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
/// does not `block`. ECHILD if something else has waited for it. See waitid(2), `P_PIDFD`.
fn wait_for_pidfd(pidfd: BorrowedFd<'_>, block: bool) -> io::Result<Option<ExitStatus>> {
    let options = libc::WEXITED | if block { 0 } else { libc::WNOHANG };
    let id = pidfd.as_raw_fd().cast_unsigned();
    // SAFETY: siginfo_t is numbers and unions of them and pointers, for which zero bytes are valid.
    let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
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
