//! The spill lane: where a socket that cannot be peeked at puts its next datagram.
//!
//! AF_VSOCK has `MSG_PEEK` since Linux 6.6 only. Before, a datagram is taken into memory as large as the
//! longest one that the socket can be sent, and looked at there, until it is asked for. Of that memory,
//! only what datagrams fill is ever touched. See [vsock(7)].
//!
//! [vsock(7)]: https://man7.org/linux/man-pages/man7/vsock.7.html

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::errno::retry;
use super::recv::Peeked;

/// A datagram that has been taken, until it is asked for.
#[derive(Debug)]
pub(super) struct Lane {
    /// Empty unless there is one: no datagram is.
    held: Mutex<Vec<u8>>,
    /// The longest datagram that can come, in bytes.
    max_len: usize,
}

impl Lane {
    pub(super) fn new(max_len: usize) -> Self {
        Self { held: Mutex::default(), max_len }
    }

    /// Looks at the next datagram, which is taken from the socket unless that has been done before.
    pub(super) fn peek(&self, fd: BorrowedFd<'_>, block: bool) -> io::Result<Peeked> {
        let mut held = self.lock();
        if held.is_empty() {
            held.try_reserve(self.max_len).map_err(|_| io::ErrorKind::OutOfMemory)?;
            fill(fd, &mut held, if block { 0 } else { libc::MSG_DONTWAIT })?;
        }
        Ok(Peeked::of(&held))
    }

    /// Hands the held datagram to `take`, if there is one.
    pub(super) fn take<T>(&self, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let mut held = self.lock();
        let taken = (!held.is_empty()).then(|| take(&held));
        held.clear();
        taken
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Receives into all of an empty buffer's capacity. EMSGSIZE for a datagram that is longer, and lost.
fn fill(fd: BorrowedFd<'_>, buffer: &mut Vec<u8>, flags: libc::c_int) -> io::Result<()> {
    let flags = flags | libc::MSG_TRUNC;
    let room = buffer.spare_capacity_mut();
    let len = retry(|| {
        // SAFETY: `room` is writable memory of `room.len()` bytes, exclusively borrowed for the call; the
        // kernel only writes it. `fd` is open for the call, as it is borrowed.
        unsafe { libc::recv(fd.as_raw_fd(), room.as_mut_ptr().cast(), room.len(), flags) }
    })?
    .cast_unsigned();
    if len > room.len() {
        return Err(io::Error::from_raw_os_error(libc::EMSGSIZE));
    }
    // SAFETY: `len` is within the capacity of this empty buffer, and the kernel wrote that many bytes
    // from the start of it, as it returned no more than there was room for (recv(2)).
    unsafe { buffer.set_len(len) };
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use std::io::ErrorKind;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixDatagram;

    use super::*;
    use crate::sys::recv::HEAD_LEN;

    #[test]
    fn what_was_looked_at_is_taken_once_and_in_order() {
        let (theirs, ours) = UnixDatagram::pair().unwrap();
        let lane = Lane::new(1000);
        assert!(lane.peek(ours.as_fd(), false).is_err_and(|e| e.kind() == ErrorKind::WouldBlock));
        theirs.send(&[7; 1000]).unwrap();
        theirs.send(b"second").unwrap();
        for _ in 0..3 {
            let peeked = lane.peek(ours.as_fd(), true).unwrap();
            assert_eq!((peeked.len, peeked.head), (1000, [7; HEAD_LEN]));
        }
        assert_eq!(lane.take(|held| held.to_vec()), Some(vec![7; 1000]));
        assert_eq!(lane.take(|held| held.to_vec()), None);
        let peeked = lane.peek(ours.as_fd(), false).unwrap();
        assert_eq!((peeked.len, peeked.head), (6, *b"second\0\0\0\0\0\0\0\0"));
    }

    #[test]
    fn a_datagram_that_cannot_be_is_an_error_and_not_cut() {
        let (theirs, ours) = UnixDatagram::pair().unwrap();
        let lane = Lane::new(64);
        theirs.send(&[7; 100_000]).unwrap();
        theirs.send(b"next").unwrap();
        let error = lane.peek(ours.as_fd(), false).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
        assert_eq!(lane.peek(ours.as_fd(), false).unwrap().len, 4);
    }
}
