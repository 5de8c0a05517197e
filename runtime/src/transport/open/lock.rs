//! The lock file of a path. Servers that use this crate exclude each other with it.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process;

use super::failure::Target;
use super::path::{FileId, describe, with_suffix};
use crate::error::OpenError;
use crate::sys::{O_NOFOLLOW, O_NONBLOCK};

/// A locked lock file. Dropping it removes the file, except in a forked copy of the process.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
    /// The id of the process that holds the lock, not of a forked copy of it. `None` if the file is kept.
    process: Option<u32>,
}

impl Lock {
    /// Locks the lock file of `path`, and creates it if there is none.
    pub(super) fn acquire(target: Target<'_>, path: &Path) -> Result<Self, OpenError> {
        let path = with_suffix(path, ".lock");
        let failed = |source| {
            let action = format!("binding {}, by locking {},", target.address, path.display());
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
                Err(TryLockError::WouldBlock) => return Err(target.in_use()),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            let locked = file.metadata().map_err(failed)?;
            if let Some(found) = not_a_lock(&locked) {
                return Err(OpenError::NotALock { path, found });
            }
            // The previous holder may have removed the file after we opened it.
            match fs::symlink_metadata(&path) {
                Ok(found) if FileId::of(&found) == FileId::of(&locked) => {
                    return Ok(Self { path, file, process: Some(process::id()) });
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Returns whether this process holds the lock.
    pub(super) fn is_held(&self) -> bool {
        self.process == Some(process::id())
    }

    /// Unlocks the file, and leaves it in place when the lock is dropped.
    pub(super) fn keep(&mut self) {
        if self.is_held() {
            // Forked copies share the lock, so closing the file is not enough.
            _ = self.file.unlock();
        }
        self.process = None;
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_held() {
            // Remove it while it is locked, so this is not the file of another server.
            _ = fs::remove_file(&self.path);
            _ = self.file.unlock();
        }
    }
}

/// Describes a file that is not a lock file.
fn not_a_lock(found: &Metadata) -> Option<&'static str> {
    match found.is_file() {
        true if found.len() == 0 => None,
        true => Some("a file that is not empty"),
        false => Some(describe(found)),
    }
}
