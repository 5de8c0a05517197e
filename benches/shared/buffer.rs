//! Buffers that lie where copying is fast.
//!
//! Some processors copy slowly (at a third of the speed, for 64 KiB, on a Zen) to what lies 1 to 31 bytes further
//! into its page than what is copied. The kernel keeps most of a datagram from the beginning of a page
//! on, and the C library puts a long vector 16 bytes into a page. Buffers that are written by hand get a
//! better place: the middle of a page.

use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::slice;

/// Where in its page a buffer begins, in bytes.
const PLACE: usize = 2048;

/// Zeroed memory that begins in the middle of a page. What is not touched of it is not resident.
#[derive(Debug)]
pub struct Buffer {
    /// What is mapped: `PLACE` bytes more than the buffer has.
    memory: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory is the buffer's alone, and no thread's in particular.
unsafe impl Send for Buffer {}

impl Buffer {
    /// Of `len` bytes.
    ///
    /// `void *mmap(void addr[], size_t length, int prot, int flags, int fd, off_t offset)`; see [mmap(2)].
    ///
    /// # Errors
    ///
    /// Of the system call.
    ///
    /// [mmap(2)]: https://man7.org/linux/man-pages/man2/mmap.2.html
    pub fn new(len: usize) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: the kernel chooses where the mapping goes, so that it replaces none.
        let memory = unsafe { libc::mmap(ptr::null_mut(), PLACE + len, protection, flags, -1, 0) };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { memory, len })
    }

    /// Without huge pages: a page that is touched is all that becomes resident. It is an advice: where it is
    /// not taken, nothing else changes.
    #[must_use]
    pub fn in_small_pages(self) -> Self {
        let memory = self.memory.as_ptr().cast();
        // SAFETY: the range is that of the mapping, which lives as long as `self`.
        let _: i32 = unsafe { libc::madvise(memory, PLACE + self.len, libc::MADV_NOHUGEPAGE) };
        self
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `PLACE + len` bytes are mapped there.
        let begin = unsafe { self.memory.add(PLACE) };
        // SAFETY: `len` bytes from there on are mapped, readable and initialised, for as long as `self`
        // lives, and are written through an exclusive borrow of it alone.
        unsafe { slice::from_raw_parts(begin.as_ptr(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        let begin = unsafe { self.memory.add(PLACE) };
        // SAFETY: as above, and writable; `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(begin.as_ptr(), self.len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the mapping is that which was made, and nothing borrows from it any more.
        let _: i32 = unsafe { libc::munmap(self.memory.as_ptr().cast(), PLACE + self.len) };
    }
}
