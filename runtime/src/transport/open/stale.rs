//! Removing the socket of a server that died, and nothing else.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process;

use super::failure::Opening;
use super::path::{Identity, beside, describe};
use crate::error::OpenError;
use crate::sys::{self, DatagramFd, Errno, Kind, O_NOFOLLOW, O_PATH, errno};

/// Removes a dead socket from `path`, if there is one. The caller holds the lock of the path.
pub(super) fn make_way(opening: Opening<'_>, path: &Path) -> Result<(), OpenError> {
    // Kept open, so that no other file gets the inode's number until the end of this function.
    let probed = match OpenOptions::new().read(true).custom_flags(O_PATH | O_NOFOLLOW).open(path) {
        Ok(probed) => probed,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(opening.failed("looking at")(error)),
    };
    let found = probed.metadata().map_err(opening.failed("looking at"))?;
    if !found.file_type().is_socket() {
        return Err(OpenError::NotASocket { path: path.into(), found: describe(&found) });
    }
    if is_alive(opening, path)? {
        return Err(opening.in_use());
    }
    remove(opening, path, Identity::of(&found))
}

/// Whether a process holds the socket at `path`.
///
/// A datagram socket probes: it connects to a living one of its type without a trace, and learns of a
/// living one of another type (EPROTOTYPE), whether that listens or not. It never waits, and takes no
/// place in a backlog. Only a dead socket refuses it (net/unix/af_unix.c, unix_find_bsd).
fn is_alive(opening: Opening<'_>, path: &Path) -> Result<bool, OpenError> {
    let kind = Kind::UnixDatagram;
    let probing = Opening { kind, ..opening };
    let probe = DatagramFd::open(kind).map_err(probing.failed("probing"))?;
    match probe.connect(opening.address.name()) {
        Ok(()) => Ok(true),
        Err(error) => match (error.kind(), errno(&error)) {
            // EPERM: a datagram socket that is connected to another one.
            (_, Errno::WrongType | Errno::NotPermitted) => Ok(true),
            (ErrorKind::ConnectionRefused | ErrorKind::NotFound, _) => Ok(false),
            // EACCES: no write permission, so the kernel does not say whether anybody is there.
            (ErrorKind::PermissionDenied, _) => Err(OpenError::NotProbed { path: path.into() }),
            _ => Err(probing.failed("probing")(error)),
        },
    }
}

/// Removes the dead socket `dead` from `path`, unless something else is there by now.
///
/// It is moved aside first and looked at again, so that whatever a server without locks puts there in
/// the meantime is moved back.
fn remove(opening: Opening<'_>, path: &Path, dead: Identity) -> Result<(), OpenError> {
    let mut tries = 0;
    let aside = loop {
        let aside = beside(path, &format!(".{}.{tries}.dead", process::id()));
        match sys::rename_noreplace(path, &aside) {
            Ok(()) => break aside,
            Err(error) => match error.kind() {
                ErrorKind::NotFound => return Ok(()),
                // Left by a process that was killed between moving and removing.
                ErrorKind::AlreadyExists => tries += 1,
                ErrorKind::InvalidInput | ErrorKind::Unsupported => {
                    return remove_in_place(opening, path, dead);
                }
                _ => return Err(opening.failed("moving a dead socket from")(error)),
            },
        }
    };
    // A dead socket never comes to life again: if this is the one that was probed, it is dead.
    let moved = fs::symlink_metadata(&aside).map_err(opening.failed("looking at"))?;
    if Identity::of(&moved) == dead {
        return fs::remove_file(&aside).map_err(opening.failed("removing a dead socket from"));
    }
    sys::rename_noreplace(&aside, path).map_err(opening.failed("moving back"))?;
    Err(opening.in_use())
}

/// As [`remove`], on a file system that cannot rename without replacing (EINVAL: NFS, some of FUSE), or
/// in a sandbox that does not know the call (ENOSYS).
///
/// A race is left, though not with servers that use this crate: they wait for the lock. A server
/// without locks that removes the dead socket and binds between the two calls below loses its path.
/// Nothing closes that gap: no call removes a file by what it is.
fn remove_in_place(opening: Opening<'_>, path: &Path, dead: Identity) -> Result<(), OpenError> {
    match fs::symlink_metadata(path) {
        Ok(found) if Identity::of(&found) != dead => return Err(opening.in_use()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(opening.failed("looking at")(error)),
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(opening.failed("removing a dead socket from")(error))
        }
        _ => Ok(()),
    }
}
