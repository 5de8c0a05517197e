//! Taking datagrams from the socket: one, many, or one that was looked at first.

use std::io::ErrorKind;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use super::{Inbox, Place};
use crate::error::RecvError;
use crate::limits::Limits;
use crate::message::Descriptors;
use crate::sys::{self, DatagramFd, Peeked, Readiness};
use crate::transport::pool::{Loan, Width};
use crate::transport::receive::{
    is_over, is_reserved, longest, lost_descriptors, not_as_peeked, peek, taken,
};
use crate::wait::Wait;

/// How much memory a receiver may have while it waits, in bytes: so little that a conversation of short
/// frames gets along with it, and needs one call for each.
const MAX_HELD: usize = 16 * 1024;

/// How much memory there may be under the lanes of a flood, in bytes: the pages of long frames pile up, in one lane
/// after the other.
const MAX_IN_FLOOD: usize = 2 * 1024 * 1024;

/// How much of it stays in each lane after that.
const KEPT_IN_FLOOD: usize = 64 * 1024;

/// How long memory is kept for what comes next.
const GRACE: Duration = Duration::from_millis(10);

impl Inbox {
    /// Looks at the next datagram before it is taken. A piece is received; after it, the frame may be
    /// complete. Anything else is taken.
    pub(super) fn look_first(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<Place>, RecvError> {
        let peeked = match self.peek_warm(fd, wait)? {
            Some(peeked) => peeked,
            None => {
                self.let_go();
                peek(fd, wait)?
            }
        };
        self.assembly.meet(&peeked)?;
        if is_reserved(&peeked) {
            self.pace.expect_pieces(true);
            let received = self.assembly.receive(fd, &mut self.large, &peeked, limits)?;
            return Ok(received.map(|beside| self.put(beside)));
        }
        self.pace.expect_pieces(false);
        if peeked.len == 0 {
            self.ended = true;
        } else if self.take_one(fd, descriptors, limits, false)?
            && self.next_waiting().is_some_and(|taken| taken.len != peeked.len)
        {
            not_as_peeked(fd)?;
        }
        Ok(None)
    }

    /// Looks at the next datagram if it is there, or comes soon, and there is memory to keep for it.
    fn peek_warm(&self, fd: &DatagramFd, wait: Wait) -> Result<Option<Peeked>, RecvError> {
        if !self.is_heavy() {
            return Ok(None);
        }
        match peek(fd, Wait::Try) {
            Err(RecvError::WouldBlock) if wait.blocks() && comes_soon(fd)? => {}
            Err(RecvError::WouldBlock) => return Ok(None),
            peeked => return peeked.map(Some),
        }
        match peek(fd, Wait::Try) {
            Err(RecvError::WouldBlock) => Ok(None),
            peeked => peeked.map(Some),
        }
    }

    /// Takes what is there: `false` for nothing, where that has to be waited for.
    pub(super) fn take(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<bool, RecvError> {
        // Descriptors count while they are open: frames that may bring some are taken when they are asked for.
        let many = if descriptors { 1 } else { self.pace.expected().min(limits.batch) };
        if many == 1 && self.pace.is_conversation() && self.has_many() {
            self.loan = None;
        }
        if many > 1 || self.is_heavy() || !wait.blocks() {
            if self.take_now(fd, descriptors, limits, many)? {
                return Ok(true);
            }
            if !wait.blocks() {
                return Ok(false);
            }
            // What goes on does so soon, and then finds memory that is warm.
            if comes_soon(fd)? && self.take_now(fd, descriptors, limits, many)? {
                return Ok(true);
            }
            if self.is_heavy() {
                self.let_go();
            }
        }
        if self.pace.average() > MAX_HELD {
            // The lanes that it takes may be those of the pool that are warm, but not while this waits.
            peek(fd, wait)?;
            return self.take_one(fd, descriptors, limits, false);
        }
        self.take_one(fd, descriptors, limits, true)
    }

    /// Takes what is there now, up to `many`.
    fn take_now(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        many: usize,
    ) -> Result<bool, RecvError> {
        match many {
            1 => self.take_one(fd, descriptors, limits, false),
            _ => self.take_many(fd, limits, many),
        }
    }

    /// Takes all that are there, up to `max`.
    fn take_many(
        &mut self,
        fd: &DatagramFd,
        limits: Limits,
        max: usize,
    ) -> Result<bool, RecvError> {
        let Some(lanes) = lend(&mut self.loan, Width::Many) else {
            // One may be had.
            self.pace.never_many();
            return self.take_one(fd, false, limits, false);
        };
        if lanes.resident_in_all() > MAX_IN_FLOOD {
            lanes.trim(KEPT_IN_FLOOD);
        }
        let count = match taken(fd, || lanes.recv_many(fd, longest(limits), max)) {
            // A filter of system calls that does not know this one.
            Err(RecvError::Io(error))
                if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) =>
            {
                self.pace.never_many();
                return self.take_one(fd, false, limits, false);
            }
            count => count?,
        };
        let len = (0..count.unwrap_or_default()).map(|lane| lanes.len(lane)).sum();
        self.pace.took(count.unwrap_or_default(), len);
        match count {
            Some(0) => self.ended = true,
            Some(count) => (self.waiting, self.limit) = (0..count, limits.frame_len),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Takes one, and what comes beside it if `descriptors` may come.
    fn take_one(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        block: bool,
    ) -> Result<bool, RecvError> {
        let Some(lanes) = lend(&mut self.loan, Width::Single) else {
            self.has_lanes = false;
            return Ok(true);
        };
        if block && lanes.resident_in_all() > MAX_HELD {
            // One of the pool may be warm: not while this waits.
            lanes.trim(MAX_HELD);
        }
        let cap = longest(limits);
        let len = if descriptors {
            let received = taken(fd, || lanes.recv_message(fd, cap, block))?;
            let Some(received) = received else { return Ok(false) };
            let received = lost_descriptors(fd, received)?;
            self.beside = received.descriptors.into();
            received.len
        } else {
            let Some(len) = taken(fd, || lanes.recv(fd, cap, block))? else { return Ok(false) };
            len
        };
        self.pace.took_one(len);
        if len == 0 {
            // Not by what is in the lane: vsock tells the end as an error.
            self.ended = is_over(fd)?;
            self.beside = Descriptors::default();
        } else {
            (self.waiting, self.limit) = (0..1, limits.frame_len);
        }
        Ok(true)
    }

    fn has_many(&self) -> bool {
        self.loan.as_ref().is_some_and(|lanes| lanes.width() == Width::Many)
    }

    /// Whether there is more memory than to wait with.
    fn is_heavy(&self) -> bool {
        let resident = self.loan.as_ref().map_or(0, |lanes| lanes.resident_in_all());
        self.large.capacity() > 0 || resident > MAX_HELD
    }
}

/// Whether more comes so soon that it is worth while to keep memory for it, which is warm.
fn comes_soon(fd: &DatagramFd) -> Result<bool, RecvError> {
    let soon = Instant::now() + GRACE;
    Ok(sys::wait(fd.as_fd(), Readiness::Readable, Some(soon))?)
}

/// Lanes of this width at least, if not those that there are.
#[inline]
fn lend(loan: &mut Option<Loan>, width: Width) -> Option<&mut Loan> {
    if loan.as_ref().is_none_or(|lanes| width == Width::Many && lanes.width() != width) {
        // First the one, or else two would be out for a moment.
        *loan = None;
        *loan = Loan::take(width);
    }
    loan.as_mut()
}
