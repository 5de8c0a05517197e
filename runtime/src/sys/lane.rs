//! A lane: address space as long as the longest datagram. Only written pages become memory.
//!
//! A datagram received into a lane cannot be truncated, so its length need not be known first. The kernel
//! allocates a page when it first writes there, and frees it on request: see mmap(2), `MAP_NORESERVE`, and
//! madvise(2), `MADV_DONTNEED`.
//!
//! ```text
//!  start     start + OFFSET                    OFFSET + filled       written               OFFSET + len
//!  |- unused -|-------- the last datagram -------|---- older bytes ----|-- no memory here yet --|
//! ```

use std::io;
use std::ptr::{self, NonNull};
use std::slice;

use super::memory::page_size;

/// The longest datagram there is, in bytes: over UNIX, 4 MiB of linear memory and 17 pages, or 45
/// with other kernel settings (net/unix/af_unix.c, `unix_dgram_sendmsg`; `CONFIG_MAX_SKB_FRAGS`).
pub(crate) const LANE_LEN: usize = 4 * 1024 * 1024 + 64 * 4096;

/// The offset of the lane in its first page, in bytes. The kernel stores the bytes of a long datagram from the
/// start of pages. Some processors take three times as long to copy to an address that is a few bytes further
/// into its page than the source (AMD EPYC, measured). Without the offset, a short head would cause that.
const OFFSET: usize = 256;

/// One datagram's address space.
#[derive(Debug)]
pub(crate) struct Lane {
    start: NonNull<u8>,
    /// The longest datagram that fits.
    len: usize,
    /// How many bytes of the last datagram were read.
    filled: usize,
    /// How many bytes from `start` were written. Their pages are memory.
    written: usize,
}

// SAFETY: the mapping belongs to the `Lane` alone. Any thread may write to it, through an exclusive borrow
// of the `Lane`, and any thread may unmap it.
unsafe impl Send for Lane {}
// SAFETY: as above; shared borrows only read.
unsafe impl Sync for Lane {}

impl Lane {
    /// Reserves a lane for datagrams of `len` bytes. Fails if address space is short, or if the kernel does not
    /// overcommit (proc(5), `overcommit_memory`).
    pub(crate) fn reserve(len: usize) -> io::Result<Self> {
        // No slice is longer than `isize::MAX`. The length of a vsock buffer may be any number.
        let mapped = len.checked_add(OFFSET).filter(|&mapped| isize::try_from(mapped).is_ok());
        let Some(mapped) = mapped else { return Err(io::ErrorKind::OutOfMemory.into()) };
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping, at an address of the kernel's choice, touches no existing memory.
        let start = unsafe { libc::mmap(ptr::null_mut(), mapped, libc::PROT_NONE, flags, -1, 0) };
        let start = match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => start,
            _ => return Err(io::Error::last_os_error()),
        };
        let lane = Self { start, len, filled: 0, written: 0 };
        // Otherwise mlockall(2) with MCL_FUTURE would make the whole lane resident.
        // SAFETY: the range is the mapping just made, and its contents are not affected.
        unsafe { libc::munlock(start.as_ptr().cast(), mapped) };
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the range is the mapping just made, to which no reference exists yet.
        if unsafe { libc::mprotect(start.as_ptr().cast(), mapped, access) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // Otherwise, one byte could cost a huge page. The call fails if the kernel has no huge pages.
        // SAFETY: as for munlock.
        unsafe { libc::madvise(start.as_ptr().cast(), mapped, libc::MADV_NOHUGEPAGE) };
        Ok(lane)
    }

    /// Returns the longest datagram that fits, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the bytes of the last datagram that were read.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the first `filled` bytes are mapped, because `fill` accepts no more than the lane. They are
        // at most `isize::MAX`, because `reserve` maps no more. They are initialised, because new pages are
        // zero, and are written to only through exclusive borrows of `self`.
        unsafe { slice::from_raw_parts(self.first(), self.filled) }
    }

    /// Returns room for the first `cap` bytes of a datagram, for the kernel to write.
    #[inline]
    pub(super) fn room(&mut self, cap: usize) -> libc::iovec {
        libc::iovec { iov_base: self.first().cast(), iov_len: cap.min(self.len) }
    }

    /// Records that the kernel wrote `filled` bytes, at most the whole lane.
    #[inline]
    pub(super) fn fill(&mut self, filled: usize) {
        self.filled = filled.min(self.len);
        self.written = self.written.max(OFFSET + self.filled);
    }

    /// Frees the memory after the first `keep` bytes. The lane's contents are lost.
    #[inline]
    pub(crate) fn trim(&mut self, keep: usize) {
        self.filled = 0;
        if self.written <= keep {
            return;
        }
        let keep = keep.next_multiple_of(page_size());
        if let Some(len @ 1..) = self.written.checked_sub(keep) {
            let start = self.start.as_ptr().wrapping_add(keep).cast();
            // SAFETY: the range is whole pages of this mapping, because the kernel rounds the length up. They
            // stay initialised, because the next pages there are zero. No reference to them exists, because
            // `self` is borrowed exclusively.
            unsafe { libc::madvise(start, len, libc::MADV_DONTNEED) };
            self.written = keep;
        }
    }

    fn first(&self) -> *mut u8 {
        self.start.as_ptr().wrapping_add(OFFSET)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // SAFETY: this is the whole mapping of `reserve`, and no reference to it exists any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), OFFSET + self.len) };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_longer_than_the_lane_does_not_reach_beyond_it() {
        let mut lane = Lane::reserve(10_000).unwrap();
        assert_eq!(lane.room(usize::MAX).iov_len, 10_000);
        lane.fill(20_000);
        assert_eq!((lane.bytes().len(), lane.written), (10_000, OFFSET + 10_000));
        lane.trim(1);
        assert_eq!((lane.bytes().len(), lane.written), (0, page_size().min(OFFSET + 10_000)));
    }

    #[test]
    fn a_lane_longer_than_the_address_space_is_refused() {
        // As long as a vsock buffer may be said to be.
        for len in [usize::MAX, usize::MAX - OFFSET + 1, isize::MAX.cast_unsigned()] {
            let error = Lane::reserve(len).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::OutOfMemory, "{len}");
        }
    }
}
