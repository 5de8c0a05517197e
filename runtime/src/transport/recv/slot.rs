//! The read, and the memory of the last datagram: a lane of the pool, or own memory.

use std::io::{self, ErrorKind};
use std::mem;

use super::pool;
use crate::error::RecvError;
use crate::spare::{self, MAX_SPARE};
use crate::sys::{self, Ancillary, DatagramFd, Kind, LANE_LEN, Lane, Scatter};
use crate::wait::Wait;

/// The longest datagram that a polling receiver copies out of its lane, in bytes. The cost of the copy is
/// negligible. A waiting receiver keeps own memory up to this length.
const SHORT: usize = 512;

/// The most own memory that the next read keeps, in bytes.
const MAX_KEPT: usize = LANE_LEN;

/// The most memory that a receiver keeps while it waits in the read, in bytes.
const MAX_EAGER: usize = 16 * 1024;

/// The last datagram, and its memory.
#[derive(Debug)]
pub(super) struct Slot {
    /// Contains the datagram, if there is a lane.
    lane: Option<Lane>,
    /// Contains the datagram otherwise.
    own: Vec<u8>,
    /// The ancillary data of the datagram, if the inbox asked for it.
    pub(super) ancillary: Option<Box<Ancillary>>,
}

impl Slot {
    pub(super) fn new(ancillary: bool) -> Self {
        Self { lane: None, own: Vec::new(), ancillary: ancillary.then(Box::default) }
    }

    /// Returns the part of the datagram that was read to the lane, or is in own memory.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.lane {
            Some(lane) => lane.bytes(),
            None => &self.own,
        }
    }

    /// Returns whether the datagram is in a lane, and not in own memory.
    pub(super) fn is_in_lane(&self) -> bool {
        self.lane.is_some()
    }

    /// Reads at most `cap` bytes of a datagram, and returns its full length: 0 for an empty one and at the end,
    /// `None` if nothing is queued. `block` waits.
    #[inline]
    pub(super) fn read(
        &mut self,
        fd: &DatagramFd,
        mut scatter: Option<Scatter<'_>>,
        cap: usize,
        block: bool,
    ) -> Result<Option<usize>, RecvError> {
        if self.own.capacity() > MAX_KEPT {
            self.own = Vec::new();
        }
        self.clear_ancillary();
        let lane = match &mut self.lane {
            Some(lane) => lane,
            empty => {
                let len = fd.max_recv_len();
                empty.insert(pool::take(len).ok_or(RecvError::NoMemory { len })?)
            }
        };
        let mut ancillary = self.ancillary.as_deref_mut();
        map_read(fd, || sys::recv(fd, scatter.as_mut(), lane, cap, ancillary.as_deref_mut(), block))
    }

    /// Moves a short datagram to own memory and releases the lane, because a polling receiver may not call again
    /// for long. Keeps the lane if `is_awaited` says that the receiver will call again, and few lanes are in use.
    /// While many lanes are in use, moves every datagram.
    #[inline]
    pub(super) fn unload(&mut self, wait: Wait, is_awaited: bool) {
        let is_short = wait == Wait::Try && self.bytes().len() <= SHORT;
        let stays = is_awaited && pool::has_place_for_all();
        if is_short && !stays || pool::is_busy() {
            self.move_to_own();
        }
    }

    /// Moves the datagram to own memory, and releases the lane.
    fn move_to_own(&mut self) {
        if let Some(lane) = self.lane.take() {
            self.own.clear();
            self.own.extend_from_slice(lane.bytes());
            pool::give_back(lane);
        }
    }

    /// Replaces the datagram.
    pub(super) fn put(&mut self, datagram: Vec<u8>) {
        self.release_lane();
        self.own = datagram;
    }

    /// Returns the datagram as an owned vector.
    pub(super) fn take(&mut self) -> Vec<u8> {
        if self.bytes().len() <= MAX_SPARE {
            let datagram = spare::copy(self.bytes());
            self.release_lane();
            return datagram;
        }
        self.move_to_own();
        let mut datagram = mem::take(&mut self.own);
        // The memory may be that of a longer datagram.
        datagram.shrink_to_fit();
        datagram
    }

    /// Takes own memory that the datagram does not use.
    pub(super) fn take_spare(&mut self) -> Vec<u8> {
        if self.is_in_lane() { mem::take(&mut self.own) } else { Vec::new() }
    }

    /// Releases the lane, and own memory over `SHORT` bytes. Drops the datagram, with its descriptors.
    pub(super) fn release(&mut self) {
        self.clear_ancillary();
        self.release_lane();
        self.release_own();
    }

    /// Forgets who sent the datagram, and closes its descriptors.
    pub(super) fn clear_ancillary(&mut self) {
        self.close_descriptors();
        if let Some(ancillary) = &mut self.ancillary {
            ancillary.credentials = None;
        }
    }

    /// Closes the descriptors of the datagram.
    pub(super) fn close_descriptors(&mut self) {
        if let Some(ancillary) = &mut self.ancillary {
            ancillary.descriptors.clear();
            ancillary.truncated = false;
        }
    }

    /// Frees the memory of the lane, if there is one. Drops the datagram.
    pub(super) fn trim(&mut self) {
        if let Some(lane) = &mut self.lane {
            lane.trim(0);
        }
    }

    fn release_lane(&mut self) {
        if let Some(lane) = self.lane.take() {
            pool::give_back(lane);
        }
    }

    fn release_own(&mut self) {
        self.own.clear();
        if self.own.capacity() > SHORT {
            self.own = Vec::new();
        }
    }

    /// Releases memory over `MAX_EAGER` bytes before an eager wait. Returns `false` without a lane, and after a
    /// long datagram: the next one may be as long, and would page-fault again.
    pub(super) fn release_for_eager(&mut self) -> bool {
        let Some(lane) = &mut self.lane else { return false };
        if lane.bytes().len() > MAX_EAGER {
            return false;
        }
        lane.trim(MAX_EAGER);
        self.release_own();
        true
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.release_lane();
    }
}

/// Calls `call`, which reads or peeks, and maps its errors. Returns `None` if nothing is queued.
#[inline]
pub(super) fn map_read<T: Default>(
    fd: &DatagramFd,
    mut call: impl FnMut() -> io::Result<T>,
) -> Result<Option<T>, RecvError> {
    loop {
        let error = match call() {
            Ok(result) => return Ok(Some(result)),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::WouldBlock => return Ok(None),
            ErrorKind::ConnectionRefused => return Err(RecvError::Refused),
            // The peer closed with unread data, and the kernel reports a reset. A UNIX socket reports it
            // once, *before* frames that can still be read (net/unix/af_unix.c, unix_release_sock): try
            // again. A vsock socket reports it after them and forever: this is the end.
            ErrorKind::ConnectionReset if fd.kind() == Kind::VsockSeqpacket => {
                return Ok(Some(T::default()));
            }
            ErrorKind::ConnectionReset | ErrorKind::Interrupted => {}
            _ => return Err(RecvError::Io(error)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use std::io::IoSlice;

    use super::*;

    /// Returns whether a polling receiver keeps the lane of a datagram of `len` bytes.
    fn keeps_lane(is_awaited: bool, len: usize) -> bool {
        let (theirs, ours) = DatagramFd::pair().unwrap();
        let datagram = vec![7; len];
        sys::send(&theirs, &[IoSlice::new(&datagram)], &[], None, false).unwrap();
        let mut slot = Slot::new(false);
        assert_eq!(slot.read(&ours, None, usize::MAX, false).unwrap(), Some(len));
        slot.unload(Wait::Try, is_awaited);
        assert_eq!(slot.bytes(), datagram);
        let keeps = slot.lane.is_some();
        assert_eq!(slot.read(&ours, None, usize::MAX, false).unwrap(), None);
        slot.release();
        assert!(slot.lane.is_none());
        keeps
    }

    #[test]
    fn an_awaited_receiver_keeps_its_lane_while_there_are_few() {
        assert!(keeps_lane(true, SHORT));
        assert!(!keeps_lane(false, SHORT));
        assert!(keeps_lane(false, SHORT + 1));
        let mut others: Vec<_> = (0..3).map(|_| pool::take(LANE_LEN).unwrap()).collect();
        assert!(keeps_lane(true, SHORT));
        others.push(pool::take(LANE_LEN).unwrap());
        assert!(!keeps_lane(true, SHORT), "the pool could not take all of them back");
        assert!(keeps_lane(true, SHORT + 1));
        others.into_iter().for_each(pool::give_back);
        assert!(keeps_lane(true, SHORT));
    }
}
