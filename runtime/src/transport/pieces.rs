//! Sending over a connection: a frame that is too large for one datagram goes in pieces.

use std::io::IoSlice;
use std::slice;

use super::transmit::{Parcel, is_exhausted, not_ready, transmit};
use super::turns::Turns;
use super::wait::MAX_PAUSE;
use crate::backoff::Backoff;
use crate::error::SendError;
use crate::message::MAX_SLICES;
use crate::sys::{self, DatagramFd, Kind};
use crate::wait::Wait;
use crate::wire::Head;

/// The most bytes of a frame in one piece. Two of this length fit a send buffer of the default size, so
/// that one is filled while the other is drained, by few calls.
///
/// With its head, it fills whole pages of the kernel, after the first 16 KiB that these keep together
/// with their bookkeeping. And it is no multiple of a page itself: otherwise all pieces would lie in their
/// pages a few bytes further than in the kernel's, and copying forward by so little within a page is
/// what some processors are slowest at, at half the speed.
const PIECE_LEN: usize = 163_504;

/// The fewest, once the kernel has no memory, or the send buffer no room, for longer ones.
const MIN_PIECE_LEN: usize = 1024;

/// How often a piece of the fewest bytes is tried again while the kernel has no memory for it.
const MAX_TRIES: u32 = 100;

/// Sends a frame to the connected peer: as one datagram if it can be, else in pieces.
#[inline]
pub(crate) fn transmit_connected(
    fd: &DatagramFd,
    turns: &mut Turns,
    parcel: Parcel<'_>,
    wait: Wait,
) -> Result<(), SendError> {
    // What nearly all frames are takes the shortest way. Why it is none shows on the other one.
    if turns.is_alone()
        && parcel.descriptors.is_empty()
        && fd.kind() == Kind::UnixSeqpacket
        && sys::send(fd, parcel.slices, &[], None, wait.blocks()).is_ok()
    {
        return Ok(());
    }
    transmit_by_turns(fd, turns, parcel, wait)
}

#[cold]
fn transmit_by_turns(
    fd: &DatagramFd,
    turns: &mut Turns,
    parcel: Parcel<'_>,
    wait: Wait,
) -> Result<(), SendError> {
    let result = match fd.kind() {
        Kind::VsockSeqpacket => {
            let _turn = turns.large(wait).map_err(|reason| not_ready(reason, parcel.len))?;
            transmit(fd, parcel, None, wait)
        }
        _ => {
            let _turn = turns.small(wait).map_err(|reason| not_ready(reason, parcel.len))?;
            transmit(fd, parcel, None, wait)
        }
    };
    match result {
        Err(refusal) if is_too_long(&refusal) => transmit_large(fd, turns, parcel, wait, refusal),
        result => result,
    }
}

/// Whether the frame may go in shorter pieces.
fn is_too_long(refusal: &SendError) -> bool {
    match refusal {
        SendError::TooLarge { .. } => true,
        SendError::Io { source, .. } => is_exhausted(source),
        _ => false,
    }
}

#[cold]
fn transmit_large(
    fd: &DatagramFd,
    turns: &Turns,
    parcel: Parcel<'_>,
    wait: Wait,
    refusal: SendError,
) -> Result<(), SendError> {
    // Half a frame cannot be taken back, and whether the rest would find room cannot be known.
    if let Wait::Try = wait {
        return Err(refusal);
    }
    let _turn = turns.large(wait).map_err(|reason| not_ready(reason, parcel.len))?;
    let number = turns.next_number();
    let mut backoff = Backoff::up_to(MAX_PAUSE);
    let mut tries = 0;
    let mut piece_len = PIECE_LEN.min(parcel.len);
    let mut rest = Cursor { current: &[], later: parcel.slices.iter() };
    let mut sent = 0;
    while sent < parcel.len {
        let head = match sent {
            0 => Head::First { total: parcel.len as u64 },
            offset => Head::Next { offset: offset as u64 },
        };
        let head = head.to_bytes(number);
        let len = piece_len.min(parcel.len - sent);
        let mut slices = [IoSlice::new(&[]); MAX_SLICES + 1];
        let (slices, after) = rest.clone().take(len, &head, &mut slices);
        // Descriptors go with the last piece, so that a receiver holds none for a frame that never ends.
        let descriptors = if sent + len == parcel.len { parcel.descriptors } else { &[] };
        match transmit(fd, Parcel { slices, descriptors, len: parcel.len }, None, wait) {
            Ok(()) => {
                rest = after;
                sent += len;
                tries = 0;
            }
            Err(refusal) if is_too_long(&refusal) && piece_len > MIN_PIECE_LEN => {
                piece_len = (piece_len / 2).max(MIN_PIECE_LEN);
            }
            Err(SendError::Io { source, .. }) if is_exhausted(&source) && tries < MAX_TRIES => {
                tries += 1;
                wait.pause(&mut backoff).map_err(|reason| not_ready(reason, parcel.len))?;
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(())
}

/// Where in the slices of memory that a frame is made of its next piece begins.
#[derive(Clone)]
struct Cursor<'p> {
    current: &'p [u8],
    later: slice::Iter<'p, IoSlice<'p>>,
}

impl<'p> Cursor<'p> {
    /// Lists a head and the next `len` bytes in `slices`, and returns where they end.
    fn take<'s>(
        mut self,
        len: usize,
        head: &'s [u8],
        slices: &'s mut [IoSlice<'s>; MAX_SLICES + 1],
    ) -> (&'s [IoSlice<'s>], Self)
    where
        'p: 's,
    {
        let mut left = len;
        let mut used = 0;
        let mut next = Some(head);
        for place in slices.iter_mut() {
            let Some(bytes) = next else { break };
            *place = IoSlice::new(bytes);
            used += 1;
            while self.current.is_empty() {
                match self.later.next() {
                    Some(later) => self.current = later,
                    None => break,
                }
            }
            let (bytes, after) = self.current.split_at(left.min(self.current.len()));
            self.current = after;
            left -= bytes.len();
            next = Some(bytes).filter(|bytes| !bytes.is_empty());
        }
        (slices.get(..used).unwrap_or_default(), self)
    }
}
