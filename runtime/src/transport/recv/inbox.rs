//! The receiving side of a socket: the last datagram, and the rest of its bundle.

use std::collections::VecDeque;
use std::ops::Range;

use super::bundle::BundleCursor;
use super::first_call::FirstCall;
use super::pieces::Pieces;
use super::slot::Slot;
use crate::limits::Limits;
use crate::message::Descriptors;
use crate::options::Options;
use crate::spare::{self, MAX_SPARE};
use crate::sys::{Credentials, DatagramFd, Name};
use crate::wire::CallHead;

/// The receiving side of a socket.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(super) fd: DatagramFd,
    pub(crate) limits: Limits,
    pub(super) slot: Slot,
    pub(super) pieces: Pieces,
    pub(super) first_call: FirstCall,
    /// Whether to wait in the read.
    pub(crate) eager: bool,
    /// Whether a polling receiver calls again until it finds nothing.
    pub(crate) is_awaited: bool,
    /// Whether the end was read.
    pub(super) ended: bool,
    /// Datagrams that were read, to return before those in the socket.
    pub(super) unread: VecDeque<Unread>,
    /// The rest of the bundle in the slot.
    pub(super) bundle: BundleCursor,
    /// Whether parts of calls are received like frames.
    pub(crate) accepts_calls: bool,
    /// The head of the part of a call that the last receive refused, if it is known. Boxed, because it is rare.
    pub(crate) refused: Option<Box<CallHead>>,
}

/// A datagram that was read earlier.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) bytes: Vec<u8>,
    /// Its full length: a datagram over the limit is read only in part.
    pub(super) len: usize,
}

impl Inbox {
    /// Creates an inbox. `ancillary` asks for descriptors, addresses and credentials.
    pub(crate) fn new(fd: DatagramFd, options: &Options, ancillary: bool) -> Self {
        Self {
            fd,
            limits: options.limits,
            slot: Slot::new(ancillary),
            pieces: Pieces::new(options.budget.clone()),
            first_call: FirstCall::new(),
            eager: options.eager,
            is_awaited: false,
            ended: false,
            unread: VecDeque::new(),
            bundle: BundleCursor::default(),
            accepts_calls: false,
            refused: None,
        }
    }

    pub(crate) fn fd(&self) -> &DatagramFd {
        &self.fd
    }

    /// Returns whether anything was read but not received: frames of a bundle, datagrams, or the end.
    #[inline]
    pub(crate) fn has_unread(&self) -> bool {
        self.bundle.is_open() || self.ended || !self.unread.is_empty()
    }

    /// Returns how many bytes of the frame under assembly have arrived.
    pub(crate) fn pending(&self) -> usize {
        self.pieces.assembly().map_or(0, |assembly| assembly.received)
    }

    /// Returns the bytes of the last received frame.
    #[inline]
    pub(crate) fn bytes(&self, frame: Range<usize>) -> &[u8] {
        self.slot.bytes().get(frame).unwrap_or_default()
    }

    /// Returns the bytes of the last received frame as an owned vector.
    pub(crate) fn take_bytes(&mut self, frame: Range<usize>) -> Vec<u8> {
        let waits_in_lane = self.eager && self.slot.is_in_lane();
        match self.bundle.is_open() || frame.start > 0 || waits_in_lane {
            true => spare::copy(self.bytes(frame)),
            false => self.slot.take(),
        }
    }

    /// Returns the bytes of the last received part of a call, and how many of them are before the last `len`.
    pub(crate) fn take_part(&mut self, part: Range<usize>, len: usize) -> (Vec<u8>, usize) {
        // A copy leaves the lane to the next datagram.
        let is_in_lane = self.slot.is_in_lane();
        match self.bundle.is_open() || part.start > 0 || is_in_lane || len <= MAX_SPARE {
            true => (spare::copy(self.bytes(part.end - len..part.end)), 0),
            false => (self.slot.take(), part.end - len),
        }
    }

    /// Takes the descriptors of the last received frame.
    #[inline]
    pub(crate) fn take_descriptors(&mut self) -> Descriptors {
        let ancillary = self.slot.ancillary.as_mut();
        ancillary
            .map(|ancillary| Descriptors::drain(&mut ancillary.descriptors))
            .unwrap_or_default()
    }

    /// Returns the sender's name of the last received frame; unnamed on a connection.
    pub(crate) fn name(&self) -> Name {
        let ancillary = self.slot.ancillary.as_ref();
        ancillary.map_or(Name::UNNAMED, |ancillary| ancillary.name)
    }

    /// Takes the sender's credentials of the last received frame, if the socket asks for them.
    pub(crate) fn take_credentials(&mut self) -> Option<Credentials> {
        let credentials = &mut self.slot.ancillary.as_mut()?.credentials;
        match self.bundle.is_open() {
            true => credentials.as_ref().map(Credentials::duplicate),
            false => credentials.take(),
        }
    }

    /// Makes the next receives return `datagrams`, before anything still in the socket.
    pub(crate) fn restore(&mut self, datagrams: Vec<Vec<u8>>) {
        let datagrams = datagrams.into_iter().filter(|datagram| !datagram.is_empty());
        self.unread.extend(datagrams.map(|bytes| Unread { len: bytes.len(), bytes }));
    }

    /// Returns the socket, and the datagrams that were read but not received: see [`restore`](Self::restore). A frame
    /// under assembly is one of them.
    pub(crate) fn into_parts(mut self) -> (DatagramFd, Vec<Vec<u8>>) {
        let mut unread = Vec::new();
        while self.bundle.is_open() {
            if let Ok(frame) = self.bundle.next(self.slot.bytes(), self.accepts_calls) {
                unread.push(self.bytes(frame).to_vec());
            }
        }
        unread.extend(self.pieces.into_piece());
        // A datagram that was read only in part cannot be restored.
        let whole = self.unread.into_iter().filter(|unread| unread.len == unread.bytes.len());
        unread.extend(whole.map(|unread| unread.bytes));
        (self.fd, unread)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use std::io::IoSlice;

    use super::*;
    use crate::sys;
    use crate::wait::Wait;

    /// Returns whether a receiver still has a lane to wait in after it has taken a frame.
    fn keeps_lane(options: &Options) -> bool {
        let (theirs, ours) = DatagramFd::pair().unwrap();
        let mut inbox = Inbox::new(ours, options, false);
        sys::send(&theirs, &[IoSlice::new(&[7; 1000])], &[], None, false).unwrap();
        let frame = inbox.recv(Wait::Block).unwrap().unwrap();
        assert_eq!(inbox.take_bytes(frame), [7; 1000]);
        inbox.slot.is_in_lane()
    }

    #[test]
    fn an_eager_receiver_of_owned_frames_can_wait_in_the_read() {
        assert!(keeps_lane(&Options::new().eager()));
        assert!(
            !keeps_lane(&Options::new()),
            "others hold no lane for frames that they have taken"
        );
    }
}
