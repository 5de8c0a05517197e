//! The read, and where the last datagram lies: in a lane of the pool, or in memory of its own.

use std::io::{self, ErrorKind};
use std::mem;

use super::pool;
use crate::error::RecvError;
use crate::sys::{self, Ancillary, DatagramFd, Kind, LANE_LEN, Lane, Scatter};
use crate::wait::Wait;

/// The longest datagram that is copied out of its lane, in bytes, where the receiver may not come back
/// soon: so short that the copy costs nothing to speak of. Own memory up to this length is kept while
/// nothing comes.
const SHORT: usize = 512;

/// How much memory of a large frame is kept for the next one when a short one comes between, in bytes.
const MAX_KEPT: usize = LANE_LEN;

/// How much memory a receiver may hold that waits in the read itself, in bytes.
const MAX_EAGER: usize = 16 * 1024;

/// The last datagram, and the memory that it lies in.
#[derive(Debug, Default)]
pub(super) struct Slot {
    lane: Option<Lane>,
    own: Vec<u8>,
    is_own: bool,
}

impl Slot {
    /// The datagram: what is here of it.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.lane {
            Some(lane) if !self.is_own => lane.bytes(),
            _ => &self.own,
        }
    }

    /// What the last read put into the lane, after what it scattered.
    pub(super) fn spilled(&self) -> &[u8] {
        self.lane.as_ref().map_or(&[], Lane::bytes)
    }

    /// Reads a datagram of which at most `cap` bytes are needed, and returns its real length: 0 for an
    /// empty one and at the end, `None` when nothing is there. `block` waits.
    #[inline]
    pub(super) fn read(
        &mut self,
        fd: &DatagramFd,
        mut scatter: Option<Scatter<'_>>,
        cap: usize,
        mut ancillary: Option<&mut Ancillary>,
        block: bool,
    ) -> Result<Option<usize>, RecvError> {
        if self.own.capacity() > MAX_KEPT {
            self.own = Vec::new();
        }
        self.is_own = false;
        let lane = match &mut self.lane {
            Some(lane) => lane,
            empty => {
                let len = fd.longest();
                empty.insert(pool::take(len).ok_or(RecvError::NoMemory { len })?)
            }
        };
        if let Some(ancillary) = &mut ancillary {
            // Closes what came with the datagram before, and was not taken.
            ancillary.descriptors.clear();
            ancillary.credentials = None;
        }
        told(fd, || {
            let scatter = scatter.as_mut().map(Scatter::reborrow);
            sys::recv(fd, scatter, lane, cap, ancillary.as_deref_mut(), block)
        })
    }

    /// Moves a short datagram to own memory, or any where lanes are short, and gives the lane back: a
    /// receiver that polls may not come back for long.
    #[inline]
    pub(super) fn settle(&mut self, wait: Wait) {
        let len = self.bytes().len();
        if !self.is_own && (wait == Wait::Try && len <= SHORT || pool::is_crowded()) {
            self.keep();
        }
    }

    /// Moves the datagram to own memory, and gives the lane back.
    pub(super) fn keep(&mut self) {
        if let Some(lane) = self.lane.take() {
            if !self.is_own {
                self.own.clear();
                self.own.extend_from_slice(lane.bytes());
                self.is_own = true;
            }
            pool::give_back(lane);
        }
    }

    /// Puts a datagram in the place of the last one.
    pub(super) fn put(&mut self, datagram: Vec<u8>) {
        self.own = datagram;
        self.is_own = true;
    }

    /// Takes the datagram, in memory of its own.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.keep();
        let mut datagram = mem::take(&mut self.own);
        // It may lie in the memory of a longer one.
        let needed = datagram.len().max(SHORT);
        if datagram.capacity() > needed {
            datagram.shrink_to(needed);
        }
        datagram
    }

    /// Takes own memory that the datagram does not lie in, for another use.
    pub(super) fn take_spare(&mut self) -> Vec<u8> {
        if self.is_own { Vec::new() } else { mem::take(&mut self.own) }
    }

    /// Gives back all memory that is worth it. The datagram is lost.
    pub(super) fn release(&mut self) {
        if let Some(lane) = self.lane.take() {
            pool::give_back(lane);
        }
        self.is_own = true;
        self.release_own();
    }

    fn release_own(&mut self) {
        self.own.clear();
        if self.own.capacity() > SHORT {
            self.own = Vec::new();
        }
    }

    /// Gives back the memory that a receiver may not hold that waits in the read itself. `false` after a
    /// long datagram: the next one may be as long, and would find no memory.
    pub(super) fn release_for_eager(&mut self) -> bool {
        let Some(lane) = &mut self.lane else { return false };
        if lane.bytes().len() > MAX_EAGER {
            return false;
        }
        if lane.resident() > MAX_EAGER {
            lane.trim(MAX_EAGER);
        }
        self.release_own();
        self.is_own = false;
        true
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(lane) = self.lane.take() {
            pool::give_back(lane);
        }
    }
}

/// What a call that reads or peeks was told, or `None` when nothing is there yet.
#[inline]
pub(super) fn told<T: Default>(
    fd: &DatagramFd,
    mut call: impl FnMut() -> io::Result<T>,
) -> Result<Option<T>, RecvError> {
    loop {
        let error = match call() {
            Ok(told) => return Ok(Some(told)),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::WouldBlock => return Ok(None),
            ErrorKind::ConnectionRefused => return Err(RecvError::Refused),
            // The peer closed without reading all that it was sent, and the kernel says so by a reset.
            // A UNIX socket reports that once, *before* frames that can still be read
            // (net/unix/af_unix.c, unix_release_sock): go on to them. A vsock socket reports it after
            // them, and for ever: it is the end.
            ErrorKind::ConnectionReset if fd.kind() == Kind::VsockSeqpacket => {
                return Ok(Some(T::default()));
            }
            ErrorKind::ConnectionReset => {}
            _ => return Err(RecvError::Io(error)),
        }
    }
}
