//! Sends over a connection. A frame that is too large for one datagram travels in pieces.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process;

use super::datagram::{Outgoing, Route, is_too_long};
use crate::error::{EncodeError, SendError};
use crate::message::MAX_SLICES;
use crate::sys::{self, DatagramFd, Kind};
use crate::wait::Wait;
use crate::wire::Head;

/// The most bytes of a frame in one piece. Two pieces of this length fit in a send buffer of the default
/// size, so the sender fills one while the receiver drains the other.
///
/// With its head, a piece fills whole kernel pages, after the first 16 KiB, which the kernel stores with its
/// bookkeeping. The length is not a multiple of a page. Otherwise each piece would be a few bytes further into
/// its pages than in the kernel's pages, and some processors take twice as long to copy forward by a few
/// bytes within a page.
const PIECE_LEN: usize = 163_504;

/// The fewest bytes in a piece, if the kernel has no memory or the send buffer no room for more.
const MIN_PIECE_LEN: usize = 1024;

/// The unsent rest of a large frame that a non-blocking call has begun to send.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The bytes of the frame that were unsent when it became pending.
    rest: Vec<u8>,
    descriptors: Vec<OwnedFd>,
    progress: Progress,
    /// The id of the process that sends the rest; a forked copy must not.
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
    /// Returns how many bytes are left to send, 0 in a forked copy of the process.
    pub(crate) fn left(&self) -> usize {
        if self.process == process::id() { self.progress.total - self.progress.sent } else { 0 }
    }

    /// Sends the rest of the pending frame, if there is one, as far as `wait` allows.
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
        let route = Route { fd, to: None, wait };
        let result = this.progress.send(route, &slices, &descriptors);
        match &result {
            Err(SendError::WouldBlock { .. } | SendError::TimedOut { .. }) => {}
            // Sent, or failed for good.
            _ => *pending = None,
        }
        result
    }
}

/// Sends the pending frame, and then a frame to the connected peer: as one datagram if it fits, otherwise in
/// pieces. With [`Wait::Try`], the rest of a frame that has begun becomes pending.
#[inline]
pub(crate) fn send_connected(
    fd: &DatagramFd,
    pending: &mut Option<Box<Pending>>,
    outgoing: Outgoing<'_>,
    wait: Wait,
) -> Result<(), SendError> {
    // The fast path, for nearly all frames. If it fails, the slow path repeats the call and maps the error.
    if pending.is_none()
        && outgoing.descriptors.is_empty()
        && fd.kind() == Kind::UnixSeqpacket
        && sys::send(fd, outgoing.slices, &[], None, wait == Wait::Block).is_ok()
    {
        return Ok(());
    }
    send_slow(fd, pending, outgoing, wait)
}

#[cold]
fn send_slow(
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
    let route = Route { fd, to: None, wait };
    match route.send(outgoing) {
        Err(error) if is_too_long(&error) => {}
        result => return result,
    }
    let mut progress =
        Progress { number: sys::random(), total: len, sent: 0, piece_len: PIECE_LEN };
    if wait != Wait::Try {
        return progress.send(route, slices, descriptors);
    }
    // Duplicate before sending, so this cannot fail between the pieces.
    let duplicates: io::Result<Vec<_>> =
        descriptors.iter().map(BorrowedFd::try_clone_to_owned).collect();
    let duplicates = duplicates.map_err(EncodeError::Fd)?;
    match progress.send(route, slices, descriptors) {
        Err(SendError::WouldBlock { .. }) if progress.sent > 0 => {}
        result => return result,
    }
    let failed = |source| SendError::Io { len, source };
    let rest = progress.copy_rest(slices).map_err(failed)?;
    *pending =
        Some(Box::new(Pending { rest, descriptors: duplicates, progress, process: process::id() }));
    Ok(())
}

impl Progress {
    /// Sends the rest of the frame. `slices` are the end of the frame, and include the whole rest.
    fn send(
        &mut self,
        route: Route<'_>,
        slices: &[IoSlice<'_>],
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), SendError> {
        let here: usize = slices.iter().map(|slice| slice.len()).sum();
        // How many bytes of the frame precede `slices`.
        let before = self.total - here;
        while self.sent < self.total {
            let head = match self.sent {
                0 => Head::First { number: self.number, total: self.total as u64 },
                offset => Head::Next { number: self.number, offset: offset as u64 },
            };
            let head = head.to_bytes();
            let len = self.piece_len.min(self.total - self.sent);
            let mut piece = [IoSlice::new(&[]); MAX_SLICES + 1];
            let piece = piece_slices(slices, self.sent - before, len, &head, &mut piece);
            // Descriptors travel with the last piece, so a receiver never holds any for an incomplete frame.
            let is_last = self.sent + len == self.total;
            let descriptors = if is_last { descriptors } else { &[] };
            let piece = Outgoing { slices: piece, descriptors, len: self.total };
            let result = match self.piece_len > MIN_PIECE_LEN {
                true => route.send(piece),
                false => route.send_with_retries(piece),
            };
            match result {
                Ok(()) => self.sent += len,
                Err(error) if is_too_long(&error) && self.piece_len > MIN_PIECE_LEN => {
                    self.piece_len = (len / 2).max(MIN_PIECE_LEN);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns a copy of the unsent rest of the frame. `slices` are the whole frame.
    fn copy_rest(&self, slices: &[IoSlice<'_>]) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        rest.try_reserve_exact(self.total - self.sent)?;
        let mut skipped = self.sent;
        for slice in slices {
            rest.extend_from_slice(slice.get(skipped..).unwrap_or_default());
            skipped = skipped.saturating_sub(slice.len());
        }
        Ok(rest)
    }
}

/// Returns slices of a head and of `len` bytes of `slices`, beginning at `from`.
fn piece_slices<'p>(
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
