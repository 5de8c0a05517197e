//! Returns the next datagram: one that was read earlier, or one from the socket, which it waits for.

use std::os::fd::AsFd as _;

use super::first_call::FirstCall;
use super::pieces::{Announced, Pieces, ReadResult};
use super::slot::{Slot, map_read};
use crate::backoff::Backoff;
use crate::error::RecvError;
use crate::limits::Limits;
use crate::options::Options;
use crate::sys::{self, DatagramFd, Peeked, Readiness, RecvState};
use crate::transport::wait::MAX_PAUSE;
use crate::wait::Wait;

/// The source of datagrams, one at a time.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) fd: DatagramFd,
    pub(super) limits: Limits,
    pub(super) slot: Slot,
    pub(super) pieces: Pieces,
    first_call: FirstCall,
    /// Whether to wait in the read.
    eager: bool,
    /// Whether a polling receiver calls again until it finds nothing.
    pub(super) is_awaited: bool,
    /// Whether the end was read.
    pub(super) ended: bool,
    /// Datagrams that were read, to return before those in the socket. The next one is the last.
    unread: Vec<Unread>,
}

/// A datagram that was read earlier.
#[derive(Debug)]
struct Unread {
    bytes: Vec<u8>,
    /// Its full length: a datagram over the limit is read only in part.
    len: usize,
}

impl Reader {
    pub(super) fn new(fd: DatagramFd, options: &Options, ancillary: bool) -> Self {
        Self {
            fd,
            limits: options.limits,
            slot: Slot::new(ancillary),
            pieces: Pieces::new(options.budget.clone()),
            first_call: FirstCall::new(),
            eager: options.eager,
            is_awaited: false,
            ended: false,
            unread: Vec::new(),
        }
    }

    /// Returns whether [`next`](Self::next) needs no read.
    #[inline]
    pub(super) fn has_unread(&self) -> bool {
        self.ended || !self.unread.is_empty()
    }

    /// Returns whether the next wait needs the lane of the last datagram.
    pub(super) fn waits_in_lane(&self) -> bool {
        self.eager && self.slot.is_in_lane()
    }

    /// Returns the next datagram, and waits for it as `wait` says. `None` at the end.
    #[inline]
    pub(super) fn next(&mut self, wait: Wait) -> Result<Option<ReadResult>, RecvError> {
        if self.has_unread() {
            return Ok(self.next_unread());
        }
        let is_assembling = self.pieces.assembly().is_some();
        if wait == Wait::Try || self.first_call.is_read() || is_assembling {
            if let Some(result) = self.read(false)? {
                self.first_call.found();
                self.slot.unload(wait, self.is_awaited);
                return Ok(Some(result));
            }
            self.first_call.missed();
        }
        let result = self.wait_and_read(wait)?;
        self.first_call.waited();
        self.slot.unload(wait, self.is_awaited);
        Ok(Some(result))
    }

    /// Reads a datagram if one is queued. Waits for it if `block`.
    #[inline]
    pub(super) fn read(&mut self, block: bool) -> Result<Option<ReadResult>, RecvError> {
        self.pieces.read(&mut self.slot, &self.fd, self.limits.frame_len, block)
    }

    /// Releases memory, waits for a datagram, and reads it.
    #[cold]
    fn wait_and_read(&mut self, wait: Wait) -> Result<ReadResult, RecvError> {
        let mut backoff = None;
        loop {
            if wait == Wait::Block
                && self.eager
                && self.slot.release_for_eager()
                && let Some(result) = self.read(true)?
            {
                return Ok(result);
            }
            self.slot.release();
            let peeked = match wait {
                Wait::Block => map_read(&self.fd, || sys::peek(&self.fd, true))?.flatten(),
                Wait::Try | Wait::Until(_) => None,
            };
            match &peeked {
                None => wait.ready(self.fd.as_fd(), Readiness::Readable)?,
                Some(peeked) if self.fd.kind().is_connection() => {
                    // The read checks again, and reports an error.
                    let announced = Announced::parse(peeked.first());
                    _ = self.pieces.begin_if_first(announced, self.limits.frame_len, Vec::new);
                }
                Some(_) => {}
            }
            let peeked = peeked.map_or(0, |peeked| peeked.len);
            match self.read(false)? {
                Some(result) => {
                    if matches!(result, ReadResult::Datagram(len) if peeked > 0 && len != peeked) {
                        // Another holder took the peeked datagram, or set a peek offset, which makes
                        // peeks report too little and miss datagrams.
                        self.fd.reset_peek_offset()?;
                    }
                    return Ok(result);
                }
                None => self.check_shutdown()?,
            }
            if peeked == 0 {
                // A socket can stay readable with nothing to read, because of its error queue, or of a
                // peek offset past the queue. Growing pauses prevent a busy loop.
                self.fd.reset_peek_offset()?;
                wait.pause(backoff.get_or_insert_with(|| Backoff::up_to(MAX_PAUSE)))?;
            }
        }
    }

    /// Waits for a datagram, and peeks at it. Returns `None` for an empty datagram, at the end, and if the
    /// kernel cannot peek.
    pub(super) fn peek(&mut self, wait: Wait) -> Result<Option<Peeked>, RecvError> {
        self.slot.release();
        let mut backoff = None;
        loop {
            match map_read(&self.fd, || sys::peek(&self.fd, wait == Wait::Block))? {
                Some(peeked) => return Ok(peeked.filter(|peeked| peeked.len > 0)),
                None => self.check_shutdown()?,
            }
            // Ready with nothing to peek: as above.
            if let Some(backoff) = &mut backoff {
                self.fd.reset_peek_offset()?;
                wait.pause(backoff)?;
            }
            wait.ready(self.fd.as_fd(), Readiness::Readable)?;
            backoff.get_or_insert_with(|| Backoff::up_to(MAX_PAUSE));
        }
    }

    /// Fails after a shutdown that the kernel does not report as an end.
    fn check_shutdown(&self) -> Result<(), RecvError> {
        match !self.fd.kind().is_connection() && sys::recv_state(&self.fd)? == RecvState::Drained {
            true => Err(RecvError::Shutdown),
            false => Ok(()),
        }
    }

    /// Returns the next datagram that needs no read, or `None` at the end.
    #[cold]
    fn next_unread(&mut self) -> Option<ReadResult> {
        let Some(Unread { bytes, len }) = self.unread.pop() else {
            self.slot.release();
            return None;
        };
        self.slot.put(bytes);
        Some(ReadResult::Datagram(len))
    }

    /// Returns the bytes of the next datagram that needs no read, and its full length.
    pub(super) fn first_unread(&self) -> Option<(&[u8], usize)> {
        self.unread.last().map(|unread| (&*unread.bytes, unread.len))
    }

    /// Keeps the datagram in the slot, of full length `len`, for the next call.
    pub(super) fn keep_unread(&mut self, len: usize) {
        let bytes = self.slot.take();
        self.unread.push(Unread { bytes, len });
    }

    /// Returns `datagrams` from the next calls, before anything still in the socket.
    pub(super) fn restore(&mut self, datagrams: Vec<Vec<u8>>) {
        let datagrams = datagrams.into_iter().rev().filter(|datagram| !datagram.is_empty());
        let datagrams = datagrams.map(|bytes| Unread { len: bytes.len(), bytes });
        self.unread.splice(..0, datagrams);
    }

    /// Returns the socket, and the datagrams that it still has to return. A frame under assembly is one of them.
    pub(super) fn into_parts(self) -> (DatagramFd, impl Iterator<Item = Vec<u8>>) {
        // A datagram that was read only in part cannot be restored.
        let whole = self.unread.into_iter().rev().filter(|unread| unread.len == unread.bytes.len());
        (self.fd, self.pieces.into_piece().into_iter().chain(whole.map(|unread| unread.bytes)))
    }
}
