//! Sending over a connection: a frame that is too large for one datagram goes in pieces.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process;

use super::datagram::{is_too_long, send_datagram, send_patiently};
use super::outgoing::Outgoing;
use crate::error::SendError;
use crate::message::MAX_SLICES;
use crate::sys::{self, DatagramFd, Kind};
use crate::wait::Wait;
use crate::wire::Head;

/// The most bytes of a frame in one piece. Two pieces of this length fit a send buffer of the default
/// size, so that one is filled while the other is drained, by few calls.
///
/// With its head, a piece fills whole pages of the kernel, after the first 16 KiB that these keep
/// together with their bookkeeping. And it is no multiple of a page: otherwise every piece would lie in
/// its pages a few bytes further than in the kernel's, and copying forward by so little within a page
/// takes some processors twice as long.
const PIECE_LEN: usize = 163_504;

/// The fewest, once the kernel has no memory, or the send buffer no room, for longer ones.
const MIN_PIECE_LEN: usize = 1024;

/// The rest of a large frame that a call which does not wait has begun to send.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The end of the frame, from where it was when it became pending.
    rest: Vec<u8>,
    descriptors: Vec<OwnedFd>,
    progress: Progress,
    /// The process that goes on with it: a forked copy must not.
    process: u32,
}

/// How far a frame in pieces has been sent.
#[derive(Debug, Clone, Copy)]
struct Progress {
    number: u32,
    total: usize,
    sent: usize,
    piece_len: usize,
}

impl Pending {
    /// How many bytes are left, in this process.
    pub(crate) fn left(&self) -> usize {
        if self.process == process::id() { self.progress.total - self.progress.sent } else { 0 }
    }

    /// Sends the rest of the frame of `pending`, if there is one, as far as `wait` allows.
    pub(crate) fn flush(
        pending: &mut Option<Box<Self>>,
        fd: &DatagramFd,
        wait: Wait,
    ) -> Result<(), SendError> {
        let Some(this) = pending.as_mut().filter(|this| this.left() > 0) else {
            *pending = None;
            return Ok(());
        };
        let descriptors: Vec<_> = this.descriptors.iter().map(OwnedFd::as_fd).collect();
        let slices = [IoSlice::new(&this.rest)];
        let result = this.progress.send(fd, &slices, &descriptors, wait);
        match &result {
            Err(SendError::WouldBlock { .. } | SendError::TimedOut { .. }) => {}
            // Sent, or no longer to be sent.
            _ => *pending = None,
        }
        result
    }
}

/// Sends a frame to the connected peer, after what is pending: as one datagram if it fits, else in
/// pieces. With [`Wait::Try`], the rest of a frame that was begun becomes what is pending.
#[inline]
pub(crate) fn send_connected(
    fd: &DatagramFd,
    pending: &mut Option<Box<Pending>>,
    outgoing: Outgoing<'_>,
    wait: Wait,
) -> Result<(), SendError> {
    // What nearly all frames are goes the shortest way. Why it failed shows on the other one.
    if pending.is_none()
        && outgoing.descriptors.is_empty()
        && fd.kind() == Kind::UnixSeqpacket
        && sys::send(fd, outgoing.slices, &[], None, wait.blocks()).is_ok()
    {
        return Ok(());
    }
    send_any(fd, pending, outgoing, wait)
}

#[cold]
fn send_any(
    fd: &DatagramFd,
    pending: &mut Option<Box<Pending>>,
    outgoing: Outgoing<'_>,
    wait: Wait,
) -> Result<(), SendError> {
    let Outgoing { slices, descriptors, len } = outgoing;
    Pending::flush(pending, fd, wait).map_err(|error| match error {
        SendError::WouldBlock { .. } => SendError::WouldBlock { len },
        SendError::TimedOut { .. } => SendError::TimedOut { len },
        other => other,
    })?;
    match send_datagram(fd, outgoing, None, wait) {
        Err(refusal) if is_too_long(&refusal) => {}
        result => return result,
    }
    let mut progress =
        Progress { number: sys::random(), total: len, sent: 0, piece_len: PIECE_LEN };
    if wait != Wait::Try {
        return progress.send(fd, slices, descriptors, wait);
    }
    // Copied before anything goes, so that nothing can fail between the pieces.
    let failed = |source| SendError::Io { len, source };
    let kept: io::Result<Vec<_>> = descriptors.iter().map(BorrowedFd::try_clone_to_owned).collect();
    let kept = kept.map_err(failed)?;
    match progress.send(fd, slices, descriptors, wait) {
        Err(SendError::WouldBlock { .. }) if progress.sent > 0 => {}
        result => return result,
    }
    let mut rest = Vec::new();
    rest.try_reserve_exact(len - progress.sent)
        .map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?;
    let mut skipped = progress.sent;
    for slice in slices {
        rest.extend_from_slice(slice.get(skipped..).unwrap_or_default());
        skipped = skipped.saturating_sub(slice.len());
    }
    *pending =
        Some(Box::new(Pending { rest, descriptors: kept, progress, process: process::id() }));
    Ok(())
}

impl Progress {
    /// Sends the rest of the frame, of which `slices` are at least that.
    fn send(
        &mut self,
        fd: &DatagramFd,
        slices: &[IoSlice<'_>],
        descriptors: &[BorrowedFd<'_>],
        wait: Wait,
    ) -> Result<(), SendError> {
        let here: usize = slices.iter().map(|slice| slice.len()).sum();
        // How much of the frame comes before `slices`.
        let before = self.total - here;
        while self.sent < self.total {
            let head = match self.sent {
                0 => Head::First { number: self.number, total: self.total as u64 },
                offset => Head::Next { number: self.number, offset: offset as u64 },
            };
            let head = head.to_bytes();
            let len = self.piece_len.min(self.total - self.sent);
            let mut piece = [IoSlice::new(&[]); MAX_SLICES + 1];
            let piece = cut(slices, self.sent - before, len, &head, &mut piece);
            // Descriptors go with the last piece, so that a receiver holds none for a frame that never
            // ends.
            let is_last = self.sent + len == self.total;
            let descriptors = if is_last { descriptors } else { &[] };
            let piece = Outgoing { slices: piece, descriptors, len: self.total };
            let result = match self.piece_len > MIN_PIECE_LEN {
                true => send_datagram(fd, piece, None, wait),
                false => send_patiently(fd, piece, None, wait),
            };
            match result {
                Ok(()) => self.sent += len,
                Err(refusal) if is_too_long(&refusal) && self.piece_len > MIN_PIECE_LEN => {
                    self.piece_len = (len / 2).max(MIN_PIECE_LEN);
                }
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(())
    }
}

/// Lists a head and `len` bytes of `slices` from `from` on.
fn cut<'p>(
    slices: &'p [IoSlice<'p>],
    mut from: usize,
    mut len: usize,
    head: &'p [u8],
    piece: &'p mut [IoSlice<'p>; MAX_SLICES + 1],
) -> &'p [IoSlice<'p>] {
    let parts = slices.iter().filter_map(|slice| {
        let rest = slice.get(from..).unwrap_or_default();
        from = from.saturating_sub(slice.len());
        let part = rest.get(..len).unwrap_or(rest);
        len -= part.len();
        (!part.is_empty()).then_some(part)
    });
    let mut used = 0;
    for (place, part) in piece.iter_mut().zip([head].into_iter().chain(parts)) {
        *place = IoSlice::new(part);
        used += 1;
    }
    piece.get(..used).unwrap_or_default()
}
