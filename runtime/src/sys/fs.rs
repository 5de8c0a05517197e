//! File operations that `std` lacks, and flags for `OpenOptions`.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// For `OpenOptions::custom_flags`: see open(2).
pub(crate) use libc::{O_NOFOLLOW, O_NONBLOCK, O_PATH};

use super::errno::retry;

/// Renames `from` to `to` unless `to` exists. EINVAL if the file system does not support it, ENOSYS in some
/// sandboxes.
///
/// `int renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, unsigned
/// flags)` with `RENAME_NOREPLACE`; see rename(2).
pub(crate) fn rename_noreplace(from: &Path, to: &Path) -> io::Result<()> {
    let from = CString::new(from.as_os_str().as_bytes())?;
    let to = CString::new(to.as_os_str().as_bytes())?;
    // The raw call, because musl has no wrapper for it.
    retry(|| {
        // SAFETY: both pointers are to NUL-terminated strings that outlive the call, which only
        // reads them; the other arguments are plain numbers, as renameat2(2) declares them.
        unsafe {
            libc::syscall(
                libc::SYS_renameat2,
                libc::AT_FDCWD,
                from.as_ptr(),
                libc::AT_FDCWD,
                to.as_ptr(),
                libc::RENAME_NOREPLACE,
            )
        }
    })?;
    Ok(())
}

/// Sets the permission bits of `path`. Refuses a symbolic link.
///
/// `int fchmodat(int dirfd, const char *pathname, mode_t mode, int flags)` with
/// `AT_SYMLINK_NOFOLLOW`; see chmod(2). The C library emulates the flag before Linux 6.6.
pub(crate) fn set_mode_nofollow(path: &Path, mode: u32) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    retry(|| {
        // SAFETY: the pointer is to a NUL-terminated string that outlives the call, which only
        // reads it.
        unsafe { libc::fchmodat(libc::AT_FDCWD, path.as_ptr(), mode, libc::AT_SYMLINK_NOFOLLOW) }
    })?;
    Ok(())
}

/// Returns the type of the file system that holds a descriptor's file. See fstatfs(2).
pub(crate) fn file_system(fd: BorrowedFd<'_>) -> io::Result<u64> {
    let mut stat = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the pointer is to a statfs, exclusively borrowed for the call. `fd` is open for the call, as
    // it is borrowed.
    retry(|| unsafe { libc::fstatfs(fd.as_raw_fd(), stat.as_mut_ptr()) })?;
    // SAFETY: fstatfs succeeded, so it has filled all of it.
    Ok(unsafe { stat.assume_init() }.f_type as u64)
}
