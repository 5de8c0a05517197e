//! Removes the socket of a server that died, and nothing else.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process;

use super::failure::Target;
use super::path::{FileId, describe, with_suffix};
use crate::error::OpenError;
use crate::sys::{self, DatagramFd, EPERM, EPROTOTYPE, Kind, O_NOFOLLOW, O_PATH};

/// Removes a dead socket from `path`, if there is one. The caller holds the lock of the path.
pub(super) fn remove_stale(target: Target<'_>, path: &Path) -> Result<(), OpenError> {
    // Stays open, so no other file gets the inode number before this function returns.
    let probed = match OpenOptions::new().read(true).custom_flags(O_PATH | O_NOFOLLOW).open(path) {
        Ok(probed) => probed,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(target.failed("looking at")(error)),
    };
    let found = probed.metadata().map_err(target.failed("looking at"))?;
    if !found.file_type().is_socket() {
        return Err(OpenError::NotASocket { path: path.into(), found: describe(&found) });
    }
    if is_alive(target, path)? {
        return Err(target.in_use());
    }
    remove(target, path, FileId::of(&found))
}

/// Returns whether a process holds the socket at `path`.
///
/// The probe is a connect of a datagram socket. It succeeds without a trace on a live datagram socket, and
/// fails with EPROTOTYPE on a live socket of another type, listening or not. It never blocks, and does not
/// enter a backlog. Only a dead socket refuses it (net/unix/af_unix.c, unix_find_bsd).
fn is_alive(target: Target<'_>, path: &Path) -> Result<bool, OpenError> {
    let kind = Kind::UnixDatagram;
    let probe_target = Target { kind, ..target };
    let probe = DatagramFd::open(kind).map_err(probe_target.failed("probing"))?;
    match probe.connect(target.address.name()) {
        Ok(()) => Ok(true),
        Err(error) => match (error.kind(), error.raw_os_error()) {
            // EPERM: a datagram socket that is connected to another socket.
            (_, Some(EPROTOTYPE | EPERM)) => Ok(true),
            (ErrorKind::ConnectionRefused | ErrorKind::NotFound, _) => Ok(false),
            // EACCES: no write permission, so the kernel does not say whether the socket is live.
            (ErrorKind::PermissionDenied, _) => Err(OpenError::NotProbed { path: path.into() }),
            _ => Err(probe_target.failed("probing")(error)),
        },
    }
}

/// Removes the dead socket `dead` from `path`, unless the path now names something else.
///
/// First moves the file aside and checks it again. If a server without locks has replaced the socket, moves
/// the file back.
fn remove(target: Target<'_>, path: &Path, dead: FileId) -> Result<(), OpenError> {
    let mut tries = 0;
    let moved_path = loop {
        let moved_path = with_suffix(path, &format!(".{}.{tries}.dead", process::id()));
        match sys::rename_noreplace(path, &moved_path) {
            Ok(()) => break moved_path,
            Err(error) => match error.kind() {
                ErrorKind::NotFound => return Ok(()),
                // A process was killed between moving and removing its file.
                ErrorKind::AlreadyExists => tries += 1,
                ErrorKind::InvalidInput | ErrorKind::Unsupported => {
                    return remove_in_place(target, path, dead);
                }
                _ => return Err(target.failed("moving a dead socket from")(error)),
            },
        }
    };
    // A dead socket stays dead: if this is the one that was probed, it can be removed.
    let moved = fs::symlink_metadata(&moved_path).map_err(target.failed("looking at"))?;
    if FileId::of(&moved) == dead {
        return fs::remove_file(&moved_path).map_err(target.failed("removing a dead socket from"));
    }
    sys::rename_noreplace(&moved_path, path).map_err(target.failed("moving back"))?;
    Err(target.in_use())
}

/// Removes the dead socket `dead` like [`remove`], on a file system that cannot rename without replacing
/// (EINVAL: NFS, some FUSE file systems), or in a sandbox without the call (ENOSYS).
///
/// This leaves a race with servers that do not use the lock. Such a server loses its path if it removes the
/// dead socket and binds between the two calls below. No system call removes a file by its identity.
fn remove_in_place(target: Target<'_>, path: &Path, dead: FileId) -> Result<(), OpenError> {
    match fs::symlink_metadata(path) {
        Ok(found) if FileId::of(&found) != dead => return Err(target.in_use()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(target.failed("looking at")(error)),
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(target.failed("removing a dead socket from")(error))
        }
        _ => Ok(()),
    }
}
