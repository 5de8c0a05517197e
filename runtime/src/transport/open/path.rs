//! Taking a path for a socket: over the dead, never over the living, and never over a file.
//!
//! A socket's path outlives its process, and binding to a path that exists fails. Removing it first
//! is a race with others who do the same, and may remove somebody's live socket or file. So:
//!
//! 1. A lock file beside the path (`<path>.lock`) is locked for as long as the path is held. Servers
//!    that use this crate exclude each other there. Anything but an empty regular file is left alone.
//! 2. What has the path is looked at without following symbolic links. Anything but a socket is
//!    left alone. A socket that some process has open belongs to somebody, whoever that is.
//! 3. A dead socket is moved aside and looked at again: only if it is the one that was probed is it
//!    removed; else it is moved back.
//! 4. The permission bits are set before the path exists, so that it is never more open than asked.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process;

use crate::address::Address;
use crate::error::OpenError;
use crate::sys::{self, DatagramFd, Kind, O_NOFOLLOW, O_NONBLOCK, O_PATH};

/// A path that a socket of this process is bound to. Dropping it removes the path.
///
/// To be dropped before the socket is closed: until then nobody else's file can have the same inode
/// number.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    socket: Identity,
    /// A forked copy must not remove what its parent holds.
    process: u32,
    /// Given up last, after the path is gone.
    _lock: Lock,
}

/// Which file a path names, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Claim {
    /// Makes way at the path of `address`, has `bind` take it, and sees to its permission bits.
    pub(super) fn take(
        address: &Address,
        path: &Path,
        mode: u32,
        bind: impl FnOnce() -> io::Result<()>,
    ) -> Result<Self, OpenError> {
        let failed = |action: &str| {
            let action = format!("{action} {address}");
            move |source| OpenError::Io { action, source }
        };
        // Kept absolute, so that it is still the same path when it is removed.
        let path = std::path::absolute(path).map_err(failed("finding"))?;
        let lock = Lock::take(address, &path)?;
        make_way(address, &path)?;
        bind().map_err(|source| match source.kind() {
            ErrorKind::AddrInUse => in_use(address),
            _ => failed("binding")(source),
        })?;
        let bound = fs::symlink_metadata(&path).map_err(failed("looking at"))?;
        // The umask may have taken bits away that were asked for.
        if bound.permissions().mode() & 0o7777 != mode {
            sys::set_mode_nofollow(&path, mode).map_err(failed("setting the mode of"))?;
        }
        Ok(Self { path, socket: Identity::of(&bound), process: process::id(), _lock: lock })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let ours = |found: Metadata| Identity::of(&found) == self.socket;
        if self.process == process::id() && fs::symlink_metadata(&self.path).is_ok_and(ours) {
            // Nothing can be done about a failure here, and the next server finds a dead socket.
            _ = fs::remove_file(&self.path);
        }
    }
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Removes a dead socket from `path`, if there is one.
fn make_way(address: &Address, path: &Path) -> Result<(), OpenError> {
    let failed =
        |action: &str, source| OpenError::Io { action: format!("{action} {address}"), source };
    // Kept open, so that the inode's number means this file alone until the end of this function.
    let probed = match OpenOptions::new().read(true).custom_flags(O_PATH | O_NOFOLLOW).open(path) {
        Ok(probed) => probed,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("looking at", error)),
    };
    let found = probed.metadata().map_err(|error| failed("looking at", error))?;
    if !found.file_type().is_socket() {
        return Err(OpenError::NotASocket { path: path.into(), found: describe(&found) });
    }
    if is_alive(address).map_err(|error| failed("probing", error))? {
        return Err(in_use(address));
    }
    let mut tries = 0;
    let aside = loop {
        let aside = beside(path, &format!(".{}.{tries}.dead", process::id()));
        match sys::rename_noreplace(path, &aside) {
            Ok(()) => break aside,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            // Left by a process that was killed between moving and removing.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => tries += 1,
            Err(error) => return Err(failed("moving a dead socket from", error)),
        }
    };
    // A dead socket never comes to life again: if this is the one that was probed, it is dead.
    let moved = fs::symlink_metadata(&aside).map_err(|error| failed("looking at", error))?;
    if Identity::of(&moved) == Identity::of(&found) {
        return fs::remove_file(&aside)
            .map_err(|error| failed("removing a dead socket from", error));
    }
    sys::rename_noreplace(&aside, path).map_err(|error| failed("moving back", error))?;
    Err(in_use(address))
}

/// Whether the socket at `address` belongs to somebody.
///
/// A datagram socket probes: it reaches a living one of its type without a trace, and is told of one of
/// another type (EPROTOTYPE), whether that listens or not. It never waits, and takes no place in a
/// backlog. Only a dead one refuses it (net/unix/af_unix.c, unix_find_bsd).
fn is_alive(address: &Address) -> io::Result<bool> {
    let probe = DatagramFd::open(Kind::UnixDatagram)?;
    match probe.connect(address.name()) {
        Err(error) => {
            Ok(!matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound))
        }
        Ok(()) => Ok(true),
    }
}

/// What is at a path that is not a socket.
pub(super) fn describe(found: &Metadata) -> &'static str {
    let kind = found.file_type();
    match () {
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_dir() => "a directory",
        () if kind.is_file() => "a regular file",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

fn in_use(address: &Address) -> OpenError {
    OpenError::InUse { address: address.to_string() }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The lock file beside a path, locked. Dropping it removes the file.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    file: File,
    process: u32,
}

impl Lock {
    fn take(address: &Address, path: &Path) -> Result<Self, OpenError> {
        let path = beside(path, ".lock");
        let failed = |source| {
            let action = format!("binding {address}, by locking {},", path.display());
            OpenError::Io { action, source }
        };
        loop {
            if let Some(found) = fs::symlink_metadata(&path).ok().as_ref().and_then(not_a_lock) {
                return Err(OpenError::NotALock { path, found });
            }
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .custom_flags(O_NOFOLLOW | O_NONBLOCK)
                .open(&path)
                .map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(in_use(address)),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // The holder before us may have removed the file between our opening and locking it.
            let locked = file.metadata().map_err(failed)?;
            if let Some(found) = not_a_lock(&locked) {
                return Err(OpenError::NotALock { path, found });
            }
            match fs::symlink_metadata(&path) {
                Ok(found) if Identity::of(&found) == Identity::of(&locked) => {
                    return Ok(Self { path, file, process: process::id() });
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

/// What makes a file somebody else's, and not a lock of ours.
fn not_a_lock(found: &Metadata) -> Option<&'static str> {
    match found.is_file() {
        true if found.len() == 0 => None,
        true => Some("a file that is not empty"),
        false => Some(describe(found)),
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.process == process::id() {
            // While still locked, so that nobody else's file is removed.
            _ = fs::remove_file(&self.path);
            _ = self.file.unlock();
        }
    }
}
