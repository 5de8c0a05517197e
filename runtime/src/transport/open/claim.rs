//! Taking a path for a socket: from a dead one, never from a living one, and never from a file.
//!
//! The path of a socket outlives its process, and binding to a path that exists fails. To remove it first
//! races with others who do the same, and may remove a living socket or a file. So:
//!
//! 1. A lock file beside the path, `<path>.lock`, is locked for as long as the path is held. Servers
//!    that use this crate exclude each other by it. Anything but an empty regular file is left alone.
//! 2. Symbolic links are not followed, and anything but a socket is left alone. So is a socket that a
//!    process holds, whoever made it, and one for which that cannot be learnt.
//! 3. A dead socket is moved aside and looked at again. It is removed only if it is the one that was
//!    probed, and moved back otherwise.
//! 4. The permission bits are set before the path exists, so that it is never more open than asked.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf, absolute};
use std::process;

use super::failure::Opening;
use super::lock::Lock;
use super::path::Identity;
use super::stale::make_way;
use crate::error::OpenError;
use crate::sys;

/// A path that a socket of this process is bound to. Dropping it removes the path.
///
/// Drop it before the socket is closed: until then no other file can have the same inode number.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    socket: Identity,
    /// Who removes the path: not a forked copy of that process, and nobody once it is kept.
    process: Option<u32>,
    /// Given up last, when the path is gone.
    lock: Lock,
}

/// Binds by `bind`, and claims the path if the address has one. `set_mode` sets the permission bits that
/// the path will get, less those of the umask.
pub(super) fn bind(
    opening: Opening<'_>,
    mode: u32,
    set_mode: impl FnOnce(u32) -> io::Result<()>,
    bind: impl FnOnce() -> io::Result<()>,
) -> Result<Option<Claim>, OpenError> {
    let Some(path) = opening.address.as_pathname() else {
        bind().map_err(opening.failed("binding"))?;
        return Ok(None);
    };
    set_mode(mode).map_err(opening.failed("setting the mode of"))?;
    Claim::take(opening, path, mode, bind).map(Some)
}

impl Claim {
    /// Makes way at `path`, binds to it, and sees to its permission bits.
    fn take(
        opening: Opening<'_>,
        path: &Path,
        mode: u32,
        bind: impl FnOnce() -> io::Result<()>,
    ) -> Result<Self, OpenError> {
        // Absolute, so that it is still the same path when it is removed.
        let path = absolute(path).map_err(opening.failed("finding"))?;
        let lock = Lock::take(opening, &path)?;
        make_way(opening, &path)?;
        bind().map_err(opening.failed("binding"))?;
        let bound = fs::symlink_metadata(&path).map_err(opening.failed("looking at"))?;
        // From here on, an error removes the path again.
        let socket = Identity::of(&bound);
        let claim = Self { path, socket, process: Some(process::id()), lock };
        // The umask may have taken bits away that were asked for.
        if bound.permissions().mode() & 0o7777 != mode {
            sys::set_mode_nofollow(&claim.path, mode)
                .map_err(opening.failed("setting the mode of"))?;
        }
        Ok(claim)
    }

    /// Leaves the path and the lock file where they are, and gives up the lock.
    ///
    /// Whoever holds the socket keeps the path without it, as a living socket is left alone. A lock that
    /// outlived this value would only keep others from the path once the socket is dead.
    pub(crate) fn keep(mut self) {
        self.process = None;
        self.lock.keep();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let ours = |found: Metadata| Identity::of(&found) == self.socket;
        if self.process == Some(process::id()) && fs::symlink_metadata(&self.path).is_ok_and(ours) {
            // A failure has no remedy here, and the next server finds a dead socket.
            _ = fs::remove_file(&self.path);
        }
    }
}
