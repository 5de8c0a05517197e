//! Returns the next datagram: one that was read earlier, or one from the socket, which it waits for.

use std::os::fd::AsFd as _;

use super::inbox::{Inbox, Unread};
use super::pieces::ReadResult;
use super::slot::map_read;
use crate::backoff::Backoff;
use crate::error::RecvError;
use crate::sys::{self, DatagramFd, Peeked, Readiness, RecvState};
use crate::transport::wait::MAX_PAUSE;
use crate::wait::Wait;

impl Inbox {
    /// Returns the next datagram, and waits for it as `wait` says. `None` at the end.
    #[inline]
    pub(super) fn next_datagram(&mut self, wait: Wait) -> Result<Option<ReadResult>, RecvError> {
        if self.ended || !self.unread.is_empty() {
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
            if peeked.is_none() {
                wait.ready(self.fd.as_fd(), Readiness::Readable)?;
            }
            let peeked = peeked.map_or(0, |peeked| peeked.len);
            let is_assembling = self.pieces.assembly().is_some();
            if let Some(result) = self.read(false)? {
                if matches!(result, ReadResult::Datagram(len) if peeked > 0 && len != peeked)
                    && !is_assembling
                {
                    // Another holder took the peeked datagram, or set a peek offset, which makes peeks
                    // report too little and miss datagrams.
                    self.fd.reset_peek_offset()?;
                }
                return Ok(result);
            }
            check_shutdown(&self.fd)?;
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
                None => check_shutdown(&self.fd)?,
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

    /// Returns the next datagram that needs no read, or `None` at the end.
    #[cold]
    fn next_unread(&mut self) -> Option<ReadResult> {
        let Some(Unread { bytes, len }) = self.unread.pop_front() else {
            self.slot.release();
            return None;
        };
        self.slot.put(bytes);
        Some(ReadResult::Datagram(len))
    }

    /// Keeps the datagram in the slot, of full length `len`, for the next call.
    pub(super) fn keep_unread(&mut self, len: usize) {
        let bytes = self.slot.take();
        self.unread.push_front(Unread { bytes, len });
    }
}

/// Fails if another holder has shut down a socket without a peer, which a non-blocking read does not report.
#[cold]
pub(crate) fn check_shutdown(fd: &DatagramFd) -> Result<(), RecvError> {
    match !fd.kind().is_connection() && sys::recv_state(fd)? == RecvState::Drained {
        true => Err(RecvError::Shutdown),
        false => Ok(()),
    }
}
