//! Waits for the next datagram, and reads it.

use std::os::fd::AsFd as _;

use super::first_call::FirstCall;
use super::pieces::{Pieces, ReadResult};
use super::slot::{Slot, map_read};
use crate::backoff::Backoff;
use crate::budget::Budget;
use crate::error::RecvError;
use crate::limits::Limits;
use crate::sys::{self, DatagramFd, Peeked, Readiness, RecvState};
use crate::transport::wait::MAX_PAUSE;
use crate::wait::Wait;
use crate::wire::Head;

/// The source of datagrams, one at a time.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) slot: Slot,
    pub(super) pieces: Pieces,
    first_call: FirstCall,
    /// Whether to wait in the read.
    eager: bool,
    /// Whether a polling receiver calls again until it finds nothing.
    pub(super) is_awaited: bool,
    /// Whether the end was read.
    pub(super) ended: bool,
}

impl Reader {
    pub(super) fn new(ancillary: bool, eager: bool, budget: Option<Budget>) -> Self {
        Self {
            slot: Slot::new(ancillary),
            pieces: Pieces::new(budget),
            first_call: FirstCall::new(),
            eager,
            is_awaited: false,
            ended: false,
        }
    }

    /// Reads the next datagram, and waits for it as `wait` says.
    #[inline]
    pub(super) fn next(
        &mut self,
        fd: &DatagramFd,
        limits: Limits,
        wait: Wait,
    ) -> Result<ReadResult, RecvError> {
        let is_assembling = self.pieces.assembly().is_some();
        if wait == Wait::Try || self.first_call.is_read() || is_assembling {
            if let Some(result) = self.pieces.read(&mut self.slot, fd, limits, false)? {
                self.first_call.found();
                self.slot.unload_short(wait, self.is_awaited);
                return Ok(result);
            }
            self.first_call.missed();
        }
        let result = self.wait_and_read(fd, limits, wait)?;
        self.first_call.waited();
        self.slot.unload_short(wait, self.is_awaited);
        Ok(result)
    }

    /// Releases memory, waits for a datagram, and reads it.
    #[cold]
    fn wait_and_read(
        &mut self,
        fd: &DatagramFd,
        limits: Limits,
        wait: Wait,
    ) -> Result<ReadResult, RecvError> {
        let mut backoff = None;
        loop {
            if wait == Wait::Block
                && self.eager
                && self.slot.release_for_eager()
                && let Some(result) = self.pieces.read(&mut self.slot, fd, limits, true)?
            {
                return Ok(result);
            }
            self.slot.release();
            let peeked = match wait {
                Wait::Block => map_read(fd, || sys::peek(fd, true))?.flatten(),
                Wait::Try | Wait::Until(_) => None,
            };
            match &peeked {
                None => wait.ready(fd.as_fd(), Readiness::Readable)?,
                Some(peeked) if fd.kind().is_connection() => {
                    // If this refuses the frame, so does the read.
                    let head = Head::parse(peeked.first());
                    _ = self.pieces.begin_if_first(head, limits.frame_len, Vec::new);
                }
                Some(_) => {}
            }
            let peeked = peeked.map_or(0, |peeked| peeked.len);
            match self.pieces.read(&mut self.slot, fd, limits, false)? {
                Some(result) => {
                    if matches!(result, ReadResult::Datagram(len) if peeked > 0 && len != peeked) {
                        // Another holder took the peeked datagram, or set a peek offset, which makes
                        // peeks report too little and miss datagrams.
                        fd.reset_peek_offset()?;
                    }
                    return Ok(result);
                }
                None => self.check_shutdown(fd)?,
            }
            if peeked == 0 {
                // A socket can stay readable with nothing to read, because of its error queue, or of a
                // peek offset past the queue. Growing pauses prevent a busy loop.
                fd.reset_peek_offset()?;
                wait.pause(backoff.get_or_insert_with(|| Backoff::up_to(MAX_PAUSE)))?;
            }
        }
    }

    /// Waits for a datagram, and peeks at it. Returns `None` for an empty datagram, at the end, and if the
    /// kernel cannot peek.
    pub(super) fn peek(
        &mut self,
        fd: &DatagramFd,
        wait: Wait,
    ) -> Result<Option<Peeked>, RecvError> {
        self.slot.release();
        let mut backoff = None;
        loop {
            match map_read(fd, || sys::peek(fd, wait == Wait::Block))? {
                Some(peeked) => return Ok(peeked.filter(|peeked| peeked.len > 0)),
                None => self.check_shutdown(fd)?,
            }
            // Ready with nothing to peek: as above.
            if let Some(backoff) = &mut backoff {
                fd.reset_peek_offset()?;
                wait.pause(backoff)?;
            }
            wait.ready(fd.as_fd(), Readiness::Readable)?;
            backoff.get_or_insert_with(|| Backoff::up_to(MAX_PAUSE));
        }
    }

    /// Fails after a shutdown that the kernel does not report as an end.
    fn check_shutdown(&self, fd: &DatagramFd) -> Result<(), RecvError> {
        match !fd.kind().is_connection() && sys::recv_state(fd)? == RecvState::Drained {
            true => Err(RecvError::Shutdown),
            false => Ok(()),
        }
    }
}
