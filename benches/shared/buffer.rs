//! Buffers that begin where copying is fast.
//!
//! Some processors copy slowly if the target lies 1 to 31 bytes further into its page than the
//! source: a Zen copies 64 KiB at a third of its speed. The kernel keeps most of a datagram from the
//! start of a page on, and the C library places a long vector 16 bytes into a page. The buffers of
//! plain loops therefore begin in the middle of a page.

use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::slice;

/// The offset of a buffer in its first page, in bytes.
const PLACE: usize = 2048;

/// Zeroed memory that begins in the middle of a page. Pages become resident when they are touched.
#[derive(Debug)]
pub struct Buffer {
    /// The mapping, `PLACE` bytes longer than the buffer.
    memory: NonNull<u8>,
    len: usize,
}

// SAFETY: the buffer owns the memory, which is not tied to a thread.
unsafe impl Send for Buffer {}

impl Buffer {
    /// Maps `len` bytes.
    ///
    /// `void *mmap(void addr[], size_t length, int prot, int flags, int fd, off_t offset)`; see [mmap(2)].
    ///
    /// # Errors
    ///
    /// The error of the system call.
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

    fn begin(&self) -> *mut u8 {
        // SAFETY: `PLACE + len` bytes are mapped there.
        unsafe { self.memory.add(PLACE) }.as_ptr()
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `len` bytes from there on are mapped, readable and initialised while `self` lives, and are
        // written through an exclusive borrow of it alone.
        unsafe { slice::from_raw_parts(self.begin(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and writable; `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.begin(), self.len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that was made above, and nothing borrows from it any more.
        let _: i32 = unsafe { libc::munmap(self.memory.as_ptr().cast(), PLACE + self.len) };
    }
}
