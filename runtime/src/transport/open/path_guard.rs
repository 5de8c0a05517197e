//! Binds a socket to a path, and guards it. Replaces a dead socket, but never a live one or another file.
//!
//! The path of a socket outlives its process, and binding to an existing path fails. Removing the path first
//! races with other servers, and can remove a live socket or a file. So:
//!
//! 1. A lock file, `<path>.lock`, is locked while the path is held. Servers that use this crate exclude each
//!    other with it. If `<path>.lock` is not an empty regular file, it is left alone.
//! 2. Symbolic links are not followed. A path that is not a socket is left alone, and so is a socket that any
//!    process holds or may hold.
//! 3. A dead socket is moved aside and checked again. It is removed only if it is the one that was probed;
//!    otherwise it is moved back.
//! 4. The permission bits are set before the path exists, so it is never more open than requested.

use std::fs::{self, File, Metadata, Permissions};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{PathBuf, absolute};

use super::failure::Target;
use super::lock::Lock;
use super::path::FileId;
use super::stale::remove_stale;
use crate::error::OpenError;
use crate::sys;

/// A path that a socket of this process is bound to. Dropping it removes the path.
///
/// Drop it before closing the socket: until then no other file can have the same inode number.
#[derive(Debug)]
pub(crate) struct PathGuard {
    path: PathBuf,
    socket: FileId,
    /// Dropped after the path is removed. Only its holder removes the path.
    lock: Lock,
}

/// Binds `fd`. If the address has a path, removes a dead socket there, sets the permission bits, and guards the path.
pub(super) fn bind(
    target: Target<'_>,
    mode: u32,
    fd: BorrowedFd<'_>,
) -> Result<Option<PathGuard>, OpenError> {
    let bind = || sys::bind(fd, target.address.name()).map_err(target.failed("binding"));
    let Some(path) = target.address.as_pathname() else {
        return bind().map(|()| None);
    };
    // The path gets these bits, less those of the umask.
    let socket = fd.try_clone_to_owned().map(File::from);
    socket
        .and_then(|socket| socket.set_permissions(Permissions::from_mode(mode)))
        .map_err(target.failed("setting the mode of"))?;
    // Absolute, so it is still the same path when it is removed.
    let path = absolute(path).map_err(target.failed("finding"))?;
    let lock = Lock::acquire(target, &path)?;
    remove_stale(target, &path)?;
    bind()?;
    let bound = fs::symlink_metadata(&path).map_err(target.failed("looking at"))?;
    // From here on, an error drops the guard, which removes the path.
    let guard = PathGuard { path, socket: FileId::of(&bound), lock };
    // The umask may have cleared requested bits.
    if bound.permissions().mode() & 0o7777 != mode {
        sys::set_mode_nofollow(&guard.path, mode).map_err(target.failed("setting the mode of"))?;
    }
    Ok(Some(guard))
}

impl PathGuard {
    /// Leaves the path and the lock file in place, and releases the lock.
    ///
    /// The holder of the socket keeps the path without the lock, because servers do not replace a live socket.
    /// A longer lock would only block the path after the socket is dead.
    pub(crate) fn keep(mut self) {
        self.lock.keep();
    }
}

impl Drop for PathGuard {
    fn drop(&mut self) {
        let ours = |found: Metadata| FileId::of(&found) == self.socket;
        if self.lock.is_held() && fs::symlink_metadata(&self.path).is_ok_and(ours) {
            // If this fails, the next server finds a dead socket.
            _ = fs::remove_file(&self.path);
        }
    }
}
