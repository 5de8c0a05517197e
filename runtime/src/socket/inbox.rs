//! The receiving side of a connection: what has been taken from the socket, and how more is taken.
//!
//! By default, a datagram is taken without having been looked at, into a lane that fits every length; and
//! where many are queued, they are taken by one call, each into a lane of its own, and handed over one by
//! one. Lanes are the receiver's only while there is something in them. A datagram is looked at first where
//! its length, or whether it is a piece of a large frame, has to be known before it is taken.

use std::mem;
use std::ops::Range;

use super::assembly::Assembly;
use super::batch::{Batch, Place};
use super::pace::Pace;
use super::pool::{Loan, MAX_KEPT, Width};
use super::receive::{Patience, is_reserved, lost_descriptors, peek, receive, taken, too_large};
use super::wait::Wait;
use crate::error::RecvError;
use crate::limits::Limits;
use crate::message::Descriptors;
use crate::sys::{DatagramFd, LANE_LEN, Peeked};
use crate::wire::{HEAD_LEN, RESERVED_TAG};

/// What a receiver has taken from its socket.
#[derive(Debug)]
pub(crate) struct Inbox {
    /// Where the datagrams lie that were taken last.
    loan: Option<Loan>,
    /// Those that have not been handed over.
    waiting: Range<usize>,
    /// The limit when they were taken: there may be less of longer ones.
    limit: usize,
    /// What came beside the only one.
    beside: Descriptors,
    assembly: Assembly,
    /// A frame that came in pieces, or where there are no lanes.
    large: Vec<u8>,
    /// What came beside that frame, if it has not been handed over.
    put_together: Option<Descriptors>,
    pace: Pace,
    /// Whether the end has come.
    ended: bool,
    /// Whether no datagram is longer than a lane.
    has_lanes: bool,
}

impl Inbox {
    pub(crate) fn new(fd: &DatagramFd) -> Self {
        Self {
            loan: None,
            waiting: 0..0,
            limit: 0,
            beside: Descriptors::default(),
            assembly: Assembly::default(),
            large: Vec::new(),
            put_together: None,
            pace: Pace::new(),
            ended: false,
            has_lanes: fd.fits_lanes(),
        }
    }

    /// Receives the next frame, and the descriptors beside it if `descriptors` may come; `None` at the end.
    /// What has come of a frame in pieces is kept between calls.
    #[inline]
    pub(crate) fn receive(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<(Place, Descriptors)>, RecvError> {
        if self.is_plain(self.waiting.start, limits) {
            let lane = self.waiting.start;
            self.waiting.start += 1;
            return Ok(Some((Place::Lane(lane), mem::take(&mut self.beside))));
        }
        self.receive_more(fd, descriptors, limits, wait)
    }

    /// As [`receive`](Self::receive), into a buffer of the caller's.
    pub(crate) fn receive_into(
        &mut self,
        fd: &DatagramFd,
        buffer: &mut Vec<u8>,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<Descriptors>, RecvError> {
        if self.put_together.is_none() {
            let Some(next) = self.next_waiting() else {
                if self.ended {
                    self.assembly.interrupt()?;
                    return Ok(None);
                }
                self.let_go();
                return receive(fd, &mut self.assembly, buffer, descriptors, limits, wait);
            };
            buffer.clear();
            if self.is_plain(self.waiting.start, limits) {
                let len = next.len;
                buffer.try_reserve_exact(len).map_err(|_| RecvError::NoMemory { len })?;
            }
        }
        let received = self.receive(fd, descriptors, limits, wait)?;
        let Some((place, descriptors)) = received else { return Ok(None) };
        match place {
            Place::Lane(_) => buffer.extend_from_slice(self.at(place).0),
            Place::Large => mem::swap(buffer, &mut self.large),
        }
        Ok(Some(descriptors))
    }

    /// The frame's bytes, and how much memory is there for them.
    #[inline]
    pub(crate) fn at(&self, place: Place) -> (&[u8], usize) {
        place.find(self.loan.as_deref(), &self.large)
    }

    /// As [`receive`](Self::receive), and all that have been taken after it, as far as they can be handed over
    /// as they are.
    pub(crate) fn receive_batch(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<Batch<'_>>, RecvError> {
        let received = self.receive(fd, descriptors, limits, wait)?;
        let Some((place, descriptors)) = received else { return Ok(None) };
        // It is handed over when it is asked for.
        let left = match place {
            Place::Lane(lane) => {
                (self.waiting.start, self.beside) = (lane, descriptors);
                self.waiting.clone().take_while(|&lane| self.is_plain(lane, limits)).count()
            }
            Place::Large => {
                self.put_together = Some(descriptors);
                1
            }
        };
        let Self { loan, waiting, beside, large, put_together, .. } = self;
        Ok(Some(Batch { lanes: loan.as_deref(), waiting, beside, large, put_together, left }))
    }

    /// Waits for the next frame, and tells its length without taking it; `None` at the end.
    pub(crate) fn peek_len(&self, fd: &DatagramFd) -> Result<Option<usize>, RecvError> {
        if self.put_together.is_some() {
            return Ok(Some(self.large.len()));
        }
        let next = match self.next_waiting() {
            Some(next) => next,
            None if self.ended => return Ok(None),
            None => peek(fd, Wait::Block)?,
        };
        Ok(Some(next).filter(|next| next.len > 0).map(|next| self.assembly.frame_len(&next)))
    }

    /// The datagrams that have been taken from the socket `fd`, and not handed over: without those over the
    /// limit, of which there may be less than all.
    pub(crate) fn into_untaken(self, fd: &DatagramFd) -> Vec<Vec<u8>> {
        let lanes = self.loan.as_deref();
        let waiting = self.waiting.filter_map(|lane| {
            let bytes = lanes?.bytes(lane);
            (bytes.len() == lanes?.len(lane)).then(|| bytes.to_vec())
        });
        let mut untaken = Vec::new();
        untaken.extend(self.put_together.map(|_| self.large));
        untaken.extend(self.assembly.to_piece());
        untaken.extend(waiting.chain(fd.take_held()).filter(|bytes| !bytes.is_empty()));
        untaken
    }

    fn receive_more(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<(Place, Descriptors)>, RecvError> {
        if let Some(descriptors) = self.put_together.take() {
            return Ok(Some((Place::Large, descriptors)));
        }
        let (mut rounds, mut patience) = (0, Patience::new());
        loop {
            while let Some(next) = self.next_waiting() {
                if let Some(received) = self.hand_over(&next, limits)? {
                    return Ok(Some(received));
                }
                wait.goes_on(&mut rounds)?;
            }
            if self.ended {
                self.assembly.interrupt()?;
                return Ok(None);
            }
            if !self.has_lanes {
                return self.receive_large(fd, descriptors, limits, wait);
            }
            if limits.batch <= 1 || self.pace.pieces || self.assembly.is_under_way() {
                if let Some(received) = self.look_first(fd, descriptors, limits, wait)? {
                    return Ok(Some(received));
                }
                if self.waiting.is_empty() && !self.ended {
                    wait.goes_on(&mut rounds)?;
                }
            } else if !self.take(fd, descriptors, limits, wait)? {
                self.let_go();
                patience.wait(fd, wait)?;
            }
        }
    }

    /// Receives where there are no lanes. There is no more memory to wait with than with them.
    #[cold]
    fn receive_large(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<(Place, Descriptors)>, RecvError> {
        let Self { assembly, large, .. } = self;
        let mut receive = |large: &mut Vec<u8>, wait| {
            let received = receive(fd, assembly, large, descriptors, limits, wait)?;
            Ok(received.map(|descriptors| (Place::Large, descriptors)))
        };
        if large.capacity() > MAX_KEPT {
            match receive(large, Wait::Try) {
                Err(RecvError::WouldBlock) => *large = Vec::new(),
                received => return received,
            }
        }
        let received = receive(large, wait);
        if let Err(RecvError::WouldBlock | RecvError::TimedOut) = received {
            *large = Vec::new();
        }
        received
    }

    /// Looks at the next datagram before it is taken. A piece is received; after it, the frame may be
    /// complete. Anything else is taken.
    fn look_first(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<(Place, Descriptors)>, RecvError> {
        self.loan = None;
        let mut peeked = Err(RecvError::WouldBlock);
        if self.large.capacity() > 0 {
            peeked = peek(fd, Wait::Try);
        }
        if let Err(RecvError::WouldBlock) = peeked {
            self.let_go();
            peeked = peek(fd, wait);
        }
        let peeked = peeked?;
        if is_reserved(&peeked) {
            self.pace.pieces = true;
            let received = self.assembly.receive(fd, &mut self.large, &peeked, limits)?;
            return Ok(received.map(|descriptors| (Place::Large, descriptors)));
        }
        self.assembly.meet(&peeked)?;
        self.pace.pieces = false;
        if peeked.len == 0 {
            self.ended = true;
        } else if self.take_one(fd, descriptors, limits, false)?
            && self.next_waiting().is_some_and(|taken| taken.len != peeked.len)
        {
            // Another holder has taken the frame that was peeked, or has set a peek offset, which makes
            // peeks report too little or miss frames that are there.
            fd.reset_peek_offset()?;
        }
        Ok(None)
    }

    /// Takes what is there: `false` for nothing, where that has to be waited for.
    fn take(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<bool, RecvError> {
        // Descriptors count while they are open: frames that bring some are taken when they are asked for.
        if self.pace.is_flood() && !descriptors {
            if self.take_many(fd, limits)? {
                return Ok(true);
            }
            if !wait.blocks() {
                return Ok(false);
            }
        }
        if wait.blocks() && self.is_heavy() {
            if self.take_one(fd, descriptors, limits, false)? {
                return Ok(true);
            }
            self.let_go();
        }
        self.take_one(fd, descriptors, limits, wait.blocks())
    }

    /// Takes all that are there, up to as many as may be.
    fn take_many(&mut self, fd: &DatagramFd, limits: Limits) -> Result<bool, RecvError> {
        let Some(lanes) = lend(&mut self.loan, Width::Many) else {
            self.has_lanes = false;
            return Ok(true);
        };
        let count = taken(fd, || lanes.recv_many(fd, longest(limits), limits.batch))?;
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
            self.ended = true;
            self.beside = Descriptors::default();
        } else {
            (self.waiting, self.limit) = (0..1, limits.frame_len);
        }
        Ok(true)
    }

    /// Hands over the next of the datagrams that have been taken. `None` for a piece after which its frame
    /// is not complete, and for the end.
    fn hand_over(
        &mut self,
        next: &Peeked,
        limits: Limits,
    ) -> Result<Option<(Place, Descriptors)>, RecvError> {
        let limits = limits.frame_len(limits.frame_len.min(self.limit));
        self.assembly.meet(next)?;
        let lane = self.waiting.start;
        self.waiting.start += 1;
        if next.len == 0 {
            self.ended = true;
            self.waiting = 0..0;
            return Ok(None);
        }
        let descriptors = mem::take(&mut self.beside);
        if is_reserved(next) {
            self.pace.pieces = true;
            let bytes = self.loan.as_ref().map_or(&[][..], |lanes| lanes.bytes(lane));
            let complete = self.assembly.add(&mut self.large, next, bytes, limits)?;
            return Ok(complete.then_some((Place::Large, descriptors)));
        }
        // Of what is longer than a lane there is less than all: see `has_lanes`, which may be wrong once another
        // holder has set another length.
        let limits = limits.frame_len(limits.frame_len.min(LANE_LEN));
        if next.len > limits.frame_len {
            return Err(too_large(next.len, limits));
        }
        Ok(Some((Place::Lane(lane), descriptors)))
    }

    /// What has been taken next.
    fn next_waiting(&self) -> Option<Peeked> {
        let lane = self.waiting.clone().next()?;
        let lanes = self.loan.as_ref()?;
        Some(Peeked { len: lanes.len(lane), ..Peeked::of(lanes.bytes(lane)) })
    }

    /// Whether a lane holds a frame that can be handed over as it is.
    #[inline]
    fn is_plain(&self, lane: usize, limits: Limits) -> bool {
        let Some(lanes) = self.loan.as_ref().filter(|_| self.waiting.contains(&lane)) else {
            return false;
        };
        let (bytes, len) = (lanes.bytes(lane), lanes.len(lane));
        let is_message = bytes.first().is_some_and(|&first| u32::from(first) != RESERVED_TAG);
        is_message
            && bytes.len() == len
            && len <= limits.frame_len.min(self.limit)
            && !self.assembly.is_under_way()
            && self.put_together.is_none()
    }

    /// Whether there is more memory than to wait with.
    fn is_heavy(&self) -> bool {
        let resident = self.loan.as_ref().map_or(0, |lanes| lanes.resident_in_all());
        self.large.capacity() > 0 || resident > MAX_KEPT
    }

    /// Gives back all memory, as nothing is in it.
    fn let_go(&mut self) {
        self.loan = None;
        self.large = Vec::new();
    }
}

/// Lanes of this width, unless there are some already.
#[inline]
fn lend(loan: &mut Option<Loan>, width: Width) -> Option<&mut Loan> {
    if loan.as_ref().is_none_or(|lanes| lanes.width() != width) {
        // First the one, or else two would be out for a moment.
        *loan = None;
        *loan = Loan::take(width);
    }
    loan.as_mut()
}

/// How much of a datagram may be needed, in bytes: those of a frame, or of a piece with its head.
fn longest(limits: Limits) -> usize {
    limits.frame_len.saturating_add(HEAD_LEN)
}
