//! The floor: a burst goes by one `sendmmsg`, and comes by one peek at the first frame's length and one
//! `recvmmsg`, each frame into a slot of that length, and what is longer into a lane behind it. Nothing is
//! encoded or decoded: no typed way can cost less.

use std::array;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::ptr;

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::raw;

use super::{End, Ends, Settings, bare};
use crate::feed::Inbox;
use crate::message::Note;

/// How many frames one system call moves.
const BATCH: usize = 32;

/// The longest UNIX datagram there can be, and some pages.
const LANE: usize = 4_456_448;

struct Floor {
    fd: OwnedFd,
    /// The slots, one after the other.
    compact: Buffer,
    /// Reserved memory, which costs nothing while it is not touched: a lane for each slot.
    lanes: Buffer,
}

pub(super) fn pair(settings: &Settings) -> Result<Ends> {
    let (left, right) = bare::connect(settings)?;
    let end = |fd| -> Result<Box<Floor>> {
        let lanes = Buffer::new(BATCH * LANE)?.in_small_pages();
        Ok(Box::new(Floor { fd, compact: Buffer::new(0)?, lanes }))
    };
    Ok((end(left)?, end(right)?))
}

impl End for Floor {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        for burst in notes.chunks(BATCH) {
            let mut slices = [IoSlice::new(&[]); BATCH];
            for (slice, &Note::Sample { payload, .. }) in slices.iter_mut().zip(burst) {
                *slice = IoSlice::new(payload);
            }
            let mut rest = slices.get(..burst.len()).context("a burst is no more than a batch")?;
            while !rest.is_empty() {
                rest = rest.get(send_many(self.fd.as_fd(), rest)?..).context("too many sent")?;
            }
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        let mut wanted = usize::try_from(count)?;
        while wanted > 0 {
            let flags = libc::MSG_PEEK | libc::MSG_TRUNC;
            let len = raw::recv(self.fd.as_fd(), &mut [0], flags)?;
            ensure!(len > 0, "the sender is gone");
            if self.compact.len() < BATCH * len {
                self.compact = Buffer::new(BATCH * len)?;
            }
            let slots = self.compact.chunks_exact_mut(len).take(BATCH.min(wanted));
            let lanes = self.lanes.chunks_exact_mut(LANE);
            wanted -= receive_many(self.fd.as_fd(), slots.zip(lanes), inbox)?;
        }
        Ok(())
    }
}

/// Sends each slice as a datagram, and returns how many were sent.
///
/// `int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags)`; see [sendmmsg(2)].
///
/// [sendmmsg(2)]: https://man7.org/linux/man-pages/man2/sendmmsg.2.html
fn send_many(fd: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut headers = headers();
    for (header, slice) in headers.iter_mut().zip(slices) {
        header.msg_hdr.msg_iov = ptr::from_ref(slice).cast_mut().cast();
        header.msg_hdr.msg_iovlen = 1;
    }
    let count = slices.len().min(BATCH) as libc::c_uint;
    // SAFETY: the first `count` headers each point to one slice, which is laid out as an iovec, and lends
    // what it points to for longer than the call. The kernel only reads the slices, and writes the headers,
    // which are exclusively borrowed. `fd` is open for the call, as it is borrowed.
    let sent =
        unsafe { libc::sendmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), count, libc::MSG_NOSIGNAL) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Receives what is there, up to one frame for each of at most `BATCH` slots with their lanes; returns how many came.
///
/// `int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, struct timespec
/// *timeout)`; see [recvmmsg(2)].
///
/// [recvmmsg(2)]: https://man7.org/linux/man-pages/man2/recvmmsg.2.html
fn receive_many<'s>(
    fd: BorrowedFd<'_>,
    slots: impl Iterator<Item = (&'s mut [u8], &'s mut [u8])>,
    inbox: &mut Inbox,
) -> Result<usize> {
    let mut headers = headers();
    let mut slices: [[IoSliceMut<'_>; 2]; BATCH] =
        array::from_fn(|_| [IoSliceMut::new(&mut []), IoSliceMut::new(&mut [])]);
    let mut count = 0;
    for ((header, slices), (slot, lane)) in headers.iter_mut().zip(&mut slices).zip(slots) {
        *slices = [IoSliceMut::new(slot), IoSliceMut::new(lane)];
        header.msg_hdr.msg_iov = slices.as_mut_ptr().cast();
        header.msg_hdr.msg_iovlen = slices.len();
        count += 1;
    }
    let (flags, timeout) = (libc::MSG_DONTWAIT, ptr::null_mut());
    // SAFETY: the first `count` headers each point to two slices, which are laid out as iovecs, and to
    // which what they point to is lent exclusively for longer than the call; the kernel writes that, and
    // the headers, which are exclusively borrowed. No timeout is allowed. `fd` is open for the call, as it is
    // borrowed.
    let received =
        unsafe { libc::recvmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), count, flags, timeout) };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    for header in headers.iter().take(received) {
        inbox.take_bare(header.msg_len as usize)?;
    }
    Ok(received)
}

fn headers() -> [libc::mmsghdr; BATCH] {
    // SAFETY: an mmsghdr is numbers and pointers, for which zero bytes are valid.
    unsafe { mem::zeroed() }
}
