//! The receiving side of a connection: what has been taken from the socket, and is handed over.
//!
//! By default, a datagram is taken without having been looked at, into a lane that fits every length; and
//! where many are queued, they are taken by one call, each into a lane of its own, and handed over one by
//! one. Lanes are the receiver's only while there is something in them. A datagram is looked at first where
//! its length, or whether it is a piece of a large frame, has to be known before it is taken.

mod batch;
mod fill;

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

pub(crate) use self::batch::Batch;
use super::assembly::Assembly;
use super::pace::Pace;
use super::pool::Loan;
use super::receive::{Patience, is_over, is_reserved, peek, receive, too_large};
use crate::error::RecvError;
use crate::limits::Limits;
use crate::message::Descriptors;
use crate::sys::{DatagramFd, LANE_LEN, Lanes, Peeked};
use crate::wait::Wait;
use crate::wire::RESERVED_TAG;

/// How much memory of a large frame is kept for the next one when a short one has come between, in bytes; more
/// is if they come one after the other. When nothing comes, none is.
const MAX_KEPT: usize = LANE_LEN;

/// What a receiver has taken from its socket.
#[derive(Debug)]
pub(crate) struct Inbox {
    /// Where the datagrams lie that were taken last.
    loan: Option<Loan>,
    /// Those that have not been handed over.
    waiting: Range<usize>,
    /// The limit when they were taken: there may be less of longer ones.
    limit: usize,
    /// What came beside the frame that is handed over next, or was last.
    beside: Descriptors,
    assembly: Assembly,
    /// Datagrams that were taken from the socket before this was made: they come first.
    early: VecDeque<Vec<u8>>,
    /// A frame that came in pieces, or where there are no lanes.
    large: Vec<u8>,
    /// Whether it has not been handed over.
    put_together: bool,
    pace: Pace,
    /// Whether the end has come.
    ended: bool,
    /// Whether datagrams are received into lanes: not where one may be longer, and not once none could be had.
    has_lanes: bool,
}

/// Where the frame lies that has been received.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Lane(usize),
    Large,
}

impl Place {
    #[inline]
    fn find<'i>(self, lanes: Option<&'i Lanes>, large: &'i Vec<u8>) -> (&'i [u8], usize) {
        match (self, lanes) {
            (Self::Lane(lane), Some(lanes)) => (lanes.bytes(lane), lanes.resident(lane)),
            _ => (large, large.capacity()),
        }
    }
}

impl Inbox {
    pub(crate) fn new(fd: &DatagramFd) -> Self {
        Self {
            loan: None,
            waiting: 0..0,
            limit: 0,
            beside: Descriptors::default(),
            assembly: Assembly::default(),
            early: VecDeque::new(),
            large: Vec::new(),
            put_together: false,
            pace: Pace::new(),
            ended: false,
            has_lanes: fd.fits_lanes(),
        }
    }

    /// Has `datagrams` received before what is in the socket, from which they were taken.
    pub(crate) fn put_back(&mut self, datagrams: Vec<Vec<u8>>) {
        self.early = datagrams.into_iter().filter(|datagram| !datagram.is_empty()).collect();
    }

    /// Receives the next frame; `None` at the end. The descriptors beside it, if `descriptors` may come, are
    /// taken by [`beside`](Self::beside). What has come of a frame in pieces is kept between calls.
    #[inline]
    pub(crate) fn receive(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<Place>, RecvError> {
        if self.is_plain(self.waiting.start, limits) {
            let lane = self.waiting.start;
            self.waiting.start += 1;
            return Ok(Some(Place::Lane(lane)));
        }
        self.receive_more(fd, descriptors, limits, wait)
    }

    /// Takes the descriptors that came with the frame that was received last.
    #[inline]
    pub(crate) fn beside(&mut self) -> Descriptors {
        mem::take(&mut self.beside)
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
        if !self.put_together && self.early.is_empty() {
            let Some(next) = self.next_waiting() else {
                self.let_go();
                if self.ended {
                    self.assembly.interrupt()?;
                    return Ok(None);
                }
                return receive(fd, &mut self.assembly, buffer, descriptors, limits, wait);
            };
            buffer.clear();
            if self.is_plain(self.waiting.start, limits) {
                let len = next.len;
                buffer.try_reserve_exact(len).map_err(|_| RecvError::NoMemory { len })?;
            }
        }
        let Some(place) = self.receive(fd, descriptors, limits, wait)? else { return Ok(None) };
        match place {
            Place::Lane(_) => buffer.extend_from_slice(self.at(place).0),
            Place::Large => mem::swap(buffer, &mut self.large),
        }
        Ok(Some(self.beside()))
    }

    /// The frame's bytes, and how much memory is there for them.
    #[inline]
    pub(crate) fn at(&self, place: Place) -> (&[u8], usize) {
        place.find(self.loan.as_deref(), &self.large)
    }

    /// Waits for the next frame, and tells its length without taking it; `None` at the end.
    pub(crate) fn peek_len(
        &mut self,
        fd: &DatagramFd,
        wait: Wait,
    ) -> Result<Option<usize>, RecvError> {
        if self.put_together {
            return Ok(Some(self.large.len()));
        }
        let early = self.early.front().map(|datagram| Peeked::of(datagram));
        let next = match early.or_else(|| self.next_waiting()) {
            Some(next) => next,
            None if self.ended => return Ok(None),
            None => {
                self.let_go();
                peek(fd, wait)?
            }
        };
        Ok(Some(next).filter(|next| next.len > 0).map(|next| self.assembly.frame_len(&next)))
    }

    /// The datagrams that have been taken from the socket `fd`, and not handed over: without those over the
    /// limit, of which there may be less than all.
    pub(crate) fn into_untaken(self, fd: &DatagramFd) -> Vec<Vec<u8>> {
        let (lanes, limit) = (self.loan.as_deref(), self.limit);
        let waiting = self.waiting.filter_map(|lane| {
            let bytes = lanes?.bytes(lane);
            let is_whole = bytes.len() == lanes?.len(lane);
            let is_allowed = bytes.len() <= limit || is_reserved(&Peeked::of(bytes));
            (is_whole && is_allowed).then(|| bytes.to_vec())
        });
        let mut untaken = Vec::new();
        untaken.extend(self.put_together.then_some(self.large));
        untaken.extend(self.assembly.to_piece());
        untaken.extend(self.early);
        untaken.extend(waiting.chain(fd.take_held()).filter(|bytes| !bytes.is_empty()));
        untaken
    }

    fn receive_more(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<Place>, RecvError> {
        if mem::take(&mut self.put_together) {
            return Ok(Some(Place::Large));
        }
        self.beside = Descriptors::default();
        let (mut rounds, mut patience) = (0, Patience::new());
        while let Some(datagram) = self.early.front() {
            self.assembly.meet(&Peeked::of(datagram))?;
            let datagram = self.early.pop_front().unwrap_or_default();
            if let Some(place) = self.receive_early(datagram, limits)? {
                return Ok(Some(place));
            }
        }
        loop {
            while let Some(next) = self.next_waiting() {
                if let Some(place) = self.hand_over(fd, &next, limits)? {
                    return Ok(Some(place));
                }
                // There are not many, and no poller tells of them: those that have been taken come to an end first.
                if self.waiting.is_empty() && !self.ended {
                    wait.goes_on(&mut rounds)?;
                }
            }
            if self.ended {
                self.assembly.interrupt()?;
                self.let_go();
                return Ok(None);
            }
            if !self.has_lanes {
                return self.receive_large(fd, descriptors, limits, wait);
            }
            if limits.batch <= 1 || self.pace.expects_pieces() || self.assembly.is_under_way() {
                if let Some(place) = self.look_first(fd, descriptors, limits, wait)? {
                    return Ok(Some(place));
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

    /// Receives one of those that were taken from the socket before.
    #[cold]
    fn receive_early(
        &mut self,
        datagram: Vec<u8>,
        limits: Limits,
    ) -> Result<Option<Place>, RecvError> {
        let early = Peeked::of(&datagram);
        if is_reserved(&early) {
            let complete = self.assembly.add(&mut self.large, &early, &datagram, limits)?;
            return Ok(complete.then_some(Place::Large));
        }
        if early.len > limits.frame_len {
            return Err(too_large(early.len, limits));
        }
        self.large = datagram;
        Ok(Some(Place::Large))
    }

    /// Receives where there are no lanes. Waits without any memory.
    #[cold]
    fn receive_large(
        &mut self,
        fd: &DatagramFd,
        descriptors: bool,
        limits: Limits,
        wait: Wait,
    ) -> Result<Option<Place>, RecvError> {
        let Self { assembly, large, .. } = self;
        let mut receive =
            |large: &mut Vec<u8>, wait| receive(fd, assembly, large, descriptors, limits, wait);
        let mut received = Err(RecvError::WouldBlock);
        if large.capacity() > 0 {
            received = receive(large, Wait::Try);
        }
        if let Err(RecvError::WouldBlock) = received {
            *large = Vec::new();
            received = receive(large, wait);
        }
        let received = received?;
        if received.is_none() {
            self.let_go();
        }
        Ok(received.map(|beside| self.put(beside)))
    }

    /// Hands over the next of the datagrams that have been taken. `None` for a piece after which its frame
    /// is not complete, and for the end.
    fn hand_over(
        &mut self,
        fd: &DatagramFd,
        next: &Peeked,
        limits: Limits,
    ) -> Result<Option<Place>, RecvError> {
        let limits = limits.frame_len(limits.frame_len.min(self.limit));
        let lane = self.waiting.start;
        if next.len == 0 {
            // What comes after it has been told too early: see `is_over`.
            self.waiting.start += 1;
            self.ended = self.waiting.is_empty() && is_over(fd)?;
            return Ok(None);
        }
        self.assembly.meet(next)?;
        self.waiting.start += 1;
        if is_reserved(next) {
            self.pace.expect_pieces(true);
            let bytes = self.loan.as_ref().map_or(&[][..], |lanes| lanes.bytes(lane));
            let complete = self.assembly.add(&mut self.large, next, bytes, limits);
            if !matches!(complete, Ok(true)) {
                // As in an assembly: descriptors that do not come with the last piece are not kept.
                self.beside = Descriptors::default();
            }
            return Ok(complete?.then_some(Place::Large));
        }
        // Of what is longer than a lane there is less than all: see `has_lanes`, which may be wrong once another
        // holder has set another length.
        let limits = limits.frame_len(limits.frame_len.min(LANE_LEN));
        if next.len > limits.frame_len {
            self.beside = Descriptors::default();
            return Err(too_large(next.len, limits));
        }
        if self.large.capacity() > MAX_KEPT {
            self.large = Vec::new();
        }
        Ok(Some(Place::Lane(lane)))
    }

    /// Takes note of what came beside the frame that has been put together.
    fn put(&mut self, beside: Descriptors) -> Place {
        self.beside = beside;
        Place::Large
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
            && !self.put_together
    }

    /// Gives back all memory, as nothing is in it.
    fn let_go(&mut self) {
        self.loan = None;
        self.large = Vec::new();
    }
}
