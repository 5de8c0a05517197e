//! Through the loop that one would write by hand: pieces of one length over a SEQPACKET socket pair,
//! each received straight into its place, by a receiver that knows the message's length beforehand.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::process::Command;

use anyhow::{Result, ensure};
use datagrammar_benches::raw::{pair, send};

use super::Send;
use crate::receiving::Watch;

pub(crate) fn sender(receiver: &mut Command, piece_len: usize) -> Result<Send> {
    let (ours, theirs) = pair()?;
    receiver.stdin(theirs);
    Ok(Box::new(move |content| {
        for piece in content.chunks(piece_len) {
            send(ours.as_fd(), piece)?;
        }
        Ok(())
    }))
}

pub(crate) fn receive(watch: &mut Watch) -> Result<()> {
    let fd = io::stdin();
    let len = watch.len();
    watch.ready()?;
    let mut content = Vec::with_capacity(len);
    while content.len() < len {
        ensure!(recv(fd.as_fd(), &mut content)? > 0, "the sender has died");
    }
    watch.received(&content)
}

/// Receives a piece to the end of `content`, and returns its length.
///
/// `ssize_t recv(int sockfd, void *buf, size_t len, int flags)`; see [recv(2)].
///
/// [recv(2)]: https://man7.org/linux/man-pages/man2/recv.2.html
fn recv(fd: BorrowedFd<'_>, content: &mut Vec<u8>) -> io::Result<usize> {
    let room = content.spare_capacity_mut();
    // SAFETY: `room` is writable memory of `room.len()` bytes, exclusively borrowed for the call, and
    // the kernel only writes it. `fd` is open for the call, as it is borrowed.
    let received = unsafe { libc::recv(fd.as_raw_fd(), room.as_mut_ptr().cast(), room.len(), 0) };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    let filled = content.len() + received;
    // SAFETY: what was there is initialised, and the kernel wrote `received` bytes behind it, which is
    // no more than there was room for: without `MSG_TRUNC`, recv returns what it has written.
    unsafe { content.set_len(filled) };
    Ok(received)
}
