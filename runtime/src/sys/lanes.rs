//! Lanes: room for datagrams of any length, of which only what they fill is memory.
//!
//! A lane is address space as long as the longest datagram there is, so that no datagram is ever cut and
//! none has to be looked at before it is received. The kernel puts memory under a page when it first writes
//! there, and takes it back when told to. See [mmap(2)], `MAP_NORESERVE`, and [madvise(2)],
//! `MADV_DONTNEED`.
//!
//! [mmap(2)]: https://man7.org/linux/man-pages/man2/mmap.2.html
//! [madvise(2)]: https://man7.org/linux/man-pages/man2/madvise.2.html

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::{self, NonNull};
use std::slice;

use super::errno::retry;
use super::recv::{Received, recvmsg};
use super::socket::DatagramFd;

/// The longest datagram that fits a lane, in bytes. One over UNIX is at most 4 MiB of linear memory and 17 pages, or 45
/// with other settings of the kernel (net/unix/af_unix.c, unix_dgram_sendmsg; `CONFIG_MAX_SKB_FRAGS`).
pub(crate) const LANE_LEN: usize = STRIDE - PLACE;

/// How much address space a lane takes, in bytes.
const STRIDE: usize = 4 * 1024 * 1024 + 64 * PAGE;

/// The most lanes that are filled by one call.
pub(crate) const MAX_LANES: usize = 32;

/// The only size of pages for which the longest datagram is known.
const PAGE: usize = 4096;

/// Where in its first page a lane begins, in bytes. A long datagram's bytes lie in the kernel from the start of
/// pages on, after the first 16 KiB or so. Copying to a place that is a few bytes further into its page than that
/// where it comes from takes some processors three times as long (AMD EPYC, measured), and with lanes that
/// begin with their page that happens to lengths that are a round number and a short header.
const PLACE: usize = 256;

/// Lanes that lie one behind the other.
#[derive(Debug)]
pub(crate) struct Lanes {
    start: NonNull<u8>,
    lanes: Box<[Lane]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    /// The real length of the datagram that came last.
    len: usize,
    /// How much of it is here, from the start.
    filled: usize,
    /// Up to where there may be memory under the lane, from its first page on.
    resident: usize,
}

// SAFETY: the mapping belongs to the `Lanes` alone, wherever they are dropped, and is written to by methods
// that borrow them exclusively.
unsafe impl Send for Lanes {}
// SAFETY: as above; shared borrows only read.
unsafe impl Sync for Lanes {}

impl Lanes {
    /// Reserves `count` lanes. An error where there is no such address space, where the kernel lets nobody
    /// reserve more than there is memory (proc(5), `overcommit_memory`), and for pages of unknown size.
    pub(crate) fn reserve(count: usize) -> io::Result<Self> {
        // SAFETY: no memory is involved.
        if usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) != Ok(PAGE) {
            return Err(ErrorKind::Unsupported.into());
        }
        let len = count * STRIDE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping, at an address of the kernel's choice, touches no existing memory.
        let start = unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
        let start = match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => start,
            _ => return Err(io::Error::last_os_error()),
        };
        let lanes = Self { start, lanes: vec![Lane::default(); count].into() };
        // A process that locks all its memory would otherwise fill all of this with it (mlockall(2)).
        // SAFETY: the range is the mapping just made, and its contents are not affected.
        unsafe { libc::munlock(start.as_ptr().cast(), len) };
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the range is the mapping just made, to which nobody has a reference yet.
        if unsafe { libc::mprotect(start.as_ptr().cast(), len, access) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // Or else a byte could cost a huge page. An error means that there are none.
        // SAFETY: as for munlock.
        unsafe { libc::madvise(start.as_ptr().cast(), len, libc::MADV_NOHUGEPAGE) };
        Ok(lanes)
    }

    /// No lanes.
    pub(crate) fn none() -> Self {
        Self { start: NonNull::dangling(), lanes: Box::default() }
    }

    /// Receives one datagram into the first lane, of which at most `cap` bytes. Its real length. `block`
    /// waits for one, unless the descriptor itself is non-blocking.
    ///
    /// `ssize_t recv(int sockfd, void *buf, size_t len, int flags)`, with `MSG_TRUNC`; see [recv(2)].
    ///
    /// [recv(2)]: https://man7.org/linux/man-pages/man2/recv.2.html
    #[inline]
    pub(crate) fn recv(&mut self, fd: &DatagramFd, cap: usize, block: bool) -> io::Result<usize> {
        if let Some(len) = self.take_held(fd, cap) {
            return Ok(len);
        }
        let flags = libc::MSG_TRUNC | if block { 0 } else { libc::MSG_DONTWAIT };
        let libc::iovec { iov_base: start, iov_len: cap } = self.first(cap);
        let len = retry(|| {
            // SAFETY: the iovec describes the first lane, which is exclusively borrowed for the call. `fd` is
            // open for the call, as it is borrowed.
            unsafe { libc::recv(fd.as_fd().as_raw_fd(), start, cap, flags) }
        })?
        .cast_unsigned();
        self.fill(0, len, cap);
        Ok(len)
    }

    /// As [`recv`](Self::recv), with what comes beside the datagram.
    pub(crate) fn recv_message(
        &mut self,
        fd: &DatagramFd,
        cap: usize,
        block: bool,
    ) -> io::Result<Received> {
        if let Some(len) = self.take_held(fd, cap) {
            return Ok(Received::alone(len));
        }
        let mut pieces = [self.first(cap)];
        // SAFETY: the iovec describes the first lane, which is exclusively borrowed for the call.
        let received = unsafe { recvmsg(fd, &mut pieces, true, block) }?;
        self.fill(0, received.len, cap);
        Ok(received)
    }

    /// Receives what is there, one datagram a lane, of each at most `cap` bytes. How many came: 0 for none,
    /// and EAGAIN where there may be some later. Never waits.
    ///
    /// No more than `max` are taken, which is at least 1.
    ///
    /// `int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, struct timespec
    /// *timeout)`; see [recvmmsg(2)]. Descriptors beside a datagram are not asked for, and do not come.
    ///
    /// [recvmmsg(2)]: https://man7.org/linux/man-pages/man2/recvmmsg.2.html
    pub(crate) fn recv_many(
        &mut self,
        fd: &DatagramFd,
        cap: usize,
        max: usize,
    ) -> io::Result<usize> {
        let cap = cap.min(LANE_LEN);
        if self.take_held(fd, cap).is_some() {
            return Ok(1);
        }
        // SAFETY: iovec is a pointer and a number, for which zero bytes are valid.
        let mut pieces: [libc::iovec; MAX_LANES] = unsafe { std::mem::zeroed() };
        // SAFETY: mmsghdr is plain numbers and pointers, for which zero bytes are valid: no name, no control
        // data.
        let mut messages: [libc::mmsghdr; MAX_LANES] = unsafe { std::mem::zeroed() };
        let count = self.lanes.len().min(MAX_LANES).min(max);
        let starts = (0..count).map(|lane| self.start_of(lane));
        for ((start, piece), message) in starts.zip(&mut pieces).zip(&mut messages) {
            *piece = libc::iovec { iov_base: start.cast(), iov_len: cap };
            message.msg_hdr.msg_iov = piece;
            message.msg_hdr.msg_iovlen = 1;
        }
        let flags = libc::MSG_TRUNC | libc::MSG_DONTWAIT;
        let received = retry(|| {
            // SAFETY: `messages` has `count` elements, each with one iovec, which describes a lane of its
            // own: writable memory of at least `cap` bytes. All of that is exclusively borrowed for the
            // call. A null timeout is allowed. `fd` is open for the call, as it is borrowed.
            unsafe {
                libc::recvmmsg(
                    fd.as_fd().as_raw_fd(),
                    messages.as_mut_ptr(),
                    count as _,
                    flags as _,
                    ptr::null_mut(),
                )
            }
        })?;
        let received = usize::try_from(received).unwrap_or_default();
        for (lane, message) in messages.iter().take(received).enumerate() {
            self.fill(lane, message.msg_len as usize, cap);
        }
        Ok(received)
    }

    /// The real length of the datagram that came last to a lane.
    #[inline]
    pub(crate) fn len(&self, lane: usize) -> usize {
        self.lanes.get(lane).map_or(0, |lane| lane.len)
    }

    /// What there is of it.
    #[inline]
    pub(crate) fn bytes(&self, lane: usize) -> &[u8] {
        let Some(Lane { filled, .. }) = self.lanes.get(lane) else { return &[] };
        // SAFETY: the lane is mapped, and it is one of these, of which `filled` bytes are no more than all: see
        // `fill`.
        // All of it is initialised, as new pages are zero; and it is written to only by methods that borrow
        // `self` exclusively.
        unsafe { slice::from_raw_parts(self.start_of(lane), *filled) }
    }

    /// How many bytes of memory may be under a lane.
    #[inline]
    pub(crate) fn resident(&self, lane: usize) -> usize {
        self.lanes.get(lane).map_or(0, |lane| lane.resident)
    }

    /// How many bytes of memory may be under all of them.
    pub(crate) fn resident_in_all(&self) -> usize {
        self.lanes.iter().map(|lane| lane.resident).sum()
    }

    /// Gives back the memory under each lane after its first `keep` bytes, which are whole pages. What the
    /// lanes hold is lost.
    pub(crate) fn trim(&mut self, keep: usize) {
        let keep = keep.next_multiple_of(PAGE).min(STRIDE);
        for lane in 0..self.lanes.len() {
            let start = self.start.as_ptr().wrapping_add(lane * STRIDE);
            let Some(lane) = self.lanes.get_mut(lane) else { return };
            lane.filled = 0;
            if let Some(len @ 1..) = lane.resident.checked_sub(keep) {
                let start = start.wrapping_add(keep).cast();
                // SAFETY: the range is whole pages of this lane, which are initialised after that, too, as
                // the next pages there will be zero. Nobody has a reference to them, as `self` is borrowed
                // exclusively.
                unsafe { libc::madvise(start, len, libc::MADV_DONTNEED) };
                lane.resident = keep;
            }
        }
    }

    /// Takes a datagram that was taken from the socket before, to be looked at.
    #[inline]
    fn take_held(&mut self, fd: &DatagramFd, cap: usize) -> Option<usize> {
        let lane = fd.lane()?;
        let libc::iovec { iov_base: start, iov_len: cap } = self.first(cap);
        let len = lane.take(|held| {
            let (from, count) = (held.as_ptr(), held.len().min(cap));
            // SAFETY: there are `count` bytes at `from`, and at least as many in the first lane, which is
            // exclusively borrowed; no memory is both.
            unsafe { ptr::copy_nonoverlapping(from, start.cast(), count) };
            held.len()
        })?;
        self.fill(0, len, cap);
        Some(len)
    }

    /// The first `len` bytes of the first lane, or all of it, for a receive to write to.
    pub(super) fn first(&mut self, len: usize) -> libc::iovec {
        let room = if self.lanes.is_empty() { 0 } else { LANE_LEN };
        libc::iovec { iov_base: self.start_of(0).cast(), iov_len: len.min(room) }
    }

    /// Where a lane's datagrams begin: its first page may be written to from there on.
    fn start_of(&self, lane: usize) -> *mut u8 {
        self.start.as_ptr().wrapping_add(lane * STRIDE + PLACE)
    }

    /// Takes note that a datagram of `len` bytes has come, of which at most `cap` are here, and no more than a
    /// lane is long.
    #[inline]
    pub(super) fn fill(&mut self, lane: usize, len: usize, cap: usize) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            let filled = len.min(cap).min(LANE_LEN);
            let resident = lane.resident.max((PLACE + filled).next_multiple_of(PAGE));
            *lane = Lane { len, filled, resident };
        }
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        if !self.lanes.is_empty() {
            let len = self.lanes.len() * STRIDE;
            // SAFETY: the mapping is that of `reserve`, whole, and nobody has a reference to it any more.
            unsafe { libc::munmap(self.start.as_ptr().cast(), len) };
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_that_is_longer_than_a_lane_does_not_reach_beyond_it() {
        let mut lanes = Lanes::reserve(2).unwrap();
        for lane in 0..2 {
            lanes.fill(lane, 2 * LANE_LEN, usize::MAX);
            assert_eq!((lanes.len(lane), lanes.bytes(lane).len()), (2 * LANE_LEN, LANE_LEN));
            assert_eq!(lanes.resident(lane), STRIDE);
        }
        lanes.trim(PAGE);
        assert_eq!((lanes.bytes(1).len(), lanes.resident_in_all()), (0, 2 * PAGE));
    }
}
