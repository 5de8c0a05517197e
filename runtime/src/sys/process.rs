//! Properties of this process.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::process;

use super::errno::retry;
use super::fs::file_system;

/// Returns the inode number of this process in pidfs, which is unique since boot. Needs pidfd_open(2) and
/// Linux 6.9; otherwise returns `None`.
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

/// Opens a descriptor of a process. See pidfd_open(2).
pub(crate) fn pidfd_open(id: u32) -> io::Result<OwnedFd> {
    let fd = retry(|| {
        // SAFETY: no memory is involved, as the arguments are numbers.
        unsafe { libc::syscall(libc::SYS_pidfd_open, id as libc::pid_t, 0) }
    })?;
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: pidfd_open succeeded, so this is an open descriptor, closed on exec, that nothing else
    // owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Returns the effective user of this process. See geteuid(2).
pub(crate) fn effective_uid() -> u32 {
    // SAFETY: no memory is involved, and the call cannot fail.
    unsafe { libc::geteuid() }
}

/// Returns how many descriptors this process may have open, if it has reached that limit. `RLIMIT_NOFILE`; see
/// getrlimit(2).
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
