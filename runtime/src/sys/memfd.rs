//! Sealed memory files, which processes can share and no process can change.
//!
//! See memfd_create(2) and, for the seals, fcntl(2).

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::slice;

use super::errno::retry;

/// The file system type of ordinary memory files (statfs(2)), where SEEK_HOLE finds unwritten pages.
pub(crate) const TMPFS: u64 = 0x0102_1994;

/// The seals that make a memory file safe to read: against more seals (one of which would leave a writer
/// alive), shrinking, growing, and writing.
const SEALS: libc::c_int =
    libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;

/// Creates an empty close-on-exec memory file that can be sealed.
pub(crate) fn memfd() -> io::Result<File> {
    let fd = retry(|| {
        // SAFETY: the pointer is to a NUL-terminated string that outlives the call, which only reads
        // it.
        unsafe {
            libc::memfd_create(c"datagrammar".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)
        }
    })?;
    // SAFETY: memfd_create succeeded, so this is an open descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) }.into())
}

/// How often to try to seal a memory file whose pages the kernel itself uses, for example to move them. The kernel waits
/// for about 160 ms in each try (mm/memfd.c, memfd_wait_for_pins).
const MAX_TRIES: u32 = 5;

/// Seals a memory file permanently. EBUSY while it is mapped for writing, which every try finds at once.
pub(crate) fn seal(memfd: BorrowedFd<'_>) -> io::Result<()> {
    let mut tries = 1;
    loop {
        let sealed = retry(|| {
            // SAFETY: no memory is involved. `memfd` is open for the call, as it is borrowed.
            unsafe { libc::fcntl(memfd.as_raw_fd(), libc::F_ADD_SEALS, SEALS) }
        });
        match sealed {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) && tries < MAX_TRIES => {
                tries += 1;
            }
            sealed => return sealed.map(|_| ()),
        }
    }
}

/// Returns the missing seals, 0 if none is missing. A file that is not a memory file lacks all of them, except
/// that a file on tmpfs has `F_SEAL_SEAL`.
pub(crate) fn missing_seals(fd: BorrowedFd<'_>) -> i32 {
    // SAFETY: no memory is involved. `fd` is open for the call, as it is borrowed.
    let sealed = retry(|| unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GET_SEALS) });
    SEALS & !sealed.unwrap_or(0)
}

/// Returns the position of the first hole at or after `from`, or the end of the file. See lseek(2),
/// `SEEK_HOLE`. Allocated but unwritten pages are holes. The number of blocks does not help, because
/// blocks can be allocated past the end.
pub(crate) fn first_hole(memfd: &File, from: u64) -> io::Result<u64> {
    let len = memfd.metadata()?.len();
    if from >= len {
        // lseek would fail with ENXIO.
        return Ok(len);
    }
    let from = libc::off64_t::try_from(from).map_err(|_| io::ErrorKind::InvalidInput)?;
    let hole = retry(|| {
        // SAFETY: no memory is involved. `memfd` is open for the call, as it is borrowed.
        unsafe { libc::lseek64(memfd.as_raw_fd(), from, libc::SEEK_HOLE) }
    })?;
    Ok(hole.cast_unsigned())
}

/// A sealed memory file, mapped read-only.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: no process writes to the memory of a mapping (`Mapping::new` takes only sealed files), and any
// thread may read and unmap it.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps a whole sealed memory file; EPERM if a seal is missing. See mmap(2).
    pub(crate) fn new(memfd: &File) -> io::Result<Self> {
        if missing_seals(memfd.as_fd()) != 0 {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        }
        // The length is final: the file is sealed against shrinking and growing.
        let len = memfd.metadata()?.len();
        // No slice is longer than `isize::MAX`.
        let len = isize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?.cast_unsigned();
        if len == 0 {
            // The kernel refuses to map 0 bytes.
            return Ok(Self { start: NonNull::dangling(), len });
        }
        let (to_read, fd) = (libc::PROT_READ, memfd.as_raw_fd());
        // SAFETY: a new mapping at a place that the kernel chooses takes no memory that is in use.
        let start = unsafe { libc::mmap(ptr::null_mut(), len, to_read, libc::MAP_SHARED, fd, 0) };
        match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => Ok(Self { start, len }),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `start` points to `len` bytes, at most `isize::MAX`, which are mapped as long as this value
        // lives; or it is dangling, and `len` is 0. The file still has these bytes, and no process writes to them,
        // because it is sealed against shrinking and writing, and seals cannot be removed (fcntl(2)).
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: these bytes were mapped by `new`, and nothing borrows them any more.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
        }
    }
}
