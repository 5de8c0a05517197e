//! Sending one frame as one datagram, and what the kernel's refusals mean.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};

use super::wait::{MAX_PAUSE, NotReady};
use super::whole::transmit_whole;
use crate::backoff::Backoff;
use crate::error::SendError;
use crate::sys::{self, DatagramFd, Errno, Kind, MAX_DESCRIPTORS, Name, Readiness, errno};
use crate::wait::Wait;

/// A frame to be sent, and the descriptors that travel beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parcel<'p> {
    /// The frame's bytes, in slices.
    pub(crate) slices: &'p [IoSlice<'p>],
    pub(crate) descriptors: &'p [BorrowedFd<'p>],
    /// The frame's length: that of the slices together.
    pub(crate) len: usize,
}

impl Parcel<'_> {
    /// No frame: a place for one.
    pub(crate) const EMPTY: Self = Self { slices: &[], descriptors: &[], len: 0 };
}

/// Sends a frame: to `to`, or to the connected peer.
#[inline]
pub(crate) fn transmit(
    fd: &DatagramFd,
    parcel: Parcel<'_>,
    to: Option<&Name>,
    wait: Wait,
) -> Result<(), SendError> {
    if !parcel.descriptors.is_empty() {
        check_descriptors(fd, parcel.descriptors.len())?;
    }
    if fd.kind() == Kind::VsockSeqpacket {
        return transmit_whole(fd, parcel, wait);
    }
    match send(fd, parcel, to, wait.blocks()) {
        Ok(()) => Ok(()),
        Err(error) if is_full(&error) => persist(fd, parcel, to, wait),
        Err(error) => Err(refusal(fd, parcel, to, error)),
    }
}

fn send(fd: &DatagramFd, parcel: Parcel<'_>, to: Option<&Name>, block: bool) -> io::Result<()> {
    sys::send(fd, parcel.slices, parcel.descriptors, to, block)
}

/// Tries again until there is room.
///
/// Polling comes second to trying, as a socket counts as writable only once most of its queue is
/// free. And a UNIX socket counts as writable while its *receiver's* queue is full, or while too many
/// descriptors are on their way: there, after a poll that told nothing, pauses take over.
#[cold]
fn persist(
    fd: &DatagramFd,
    parcel: Parcel<'_>,
    to: Option<&Name>,
    wait: Wait,
) -> Result<(), SendError> {
    let not_ready = |reason| not_ready(reason, parcel.len);
    let mut backoff = Backoff::up_to(MAX_PAUSE);
    loop {
        wait.ready(fd.as_fd(), Readiness::Writable).map_err(not_ready)?;
        match send(fd, parcel, to, false) {
            Ok(()) => return Ok(()),
            Err(error) if is_full(&error) => wait.pause(&mut backoff).map_err(not_ready)?,
            Err(error) => return Err(refusal(fd, parcel, to, error)),
        }
    }
}

/// The error for a frame of `len` bytes that did not get its turn.
#[cold]
pub(super) fn not_ready(reason: NotReady, len: usize) -> SendError {
    match reason {
        NotReady::WouldBlock => SendError::WouldBlock { len },
        NotReady::TimedOut => SendError::TimedOut { len },
        NotReady::Io(source) => SendError::Io { len, source },
    }
}

/// Whether the kernel lacks the memory for a datagram of this length.
pub(super) fn is_exhausted(error: &io::Error) -> bool {
    errno(error) == Errno::Exhausted
}

/// Whether there will be room once the receiver has received something.
fn is_full(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock || errno(error) == Errno::TooManyInFlight
}

#[cold]
fn check_descriptors(fd: &DatagramFd, count: usize) -> Result<(), SendError> {
    if !fd.kind().is_unix() {
        return Err(SendError::NoDescriptors { count, family: fd.kind().name() });
    }
    if count > MAX_DESCRIPTORS {
        return Err(SendError::TooManyDescriptors { count, max: MAX_DESCRIPTORS });
    }
    Ok(())
}

#[cold]
pub(super) fn refusal(
    fd: &DatagramFd,
    parcel: Parcel<'_>,
    to: Option<&Name>,
    source: io::Error,
) -> SendError {
    let Parcel { len, descriptors, .. } = parcel;
    match (source.kind(), errno(&source)) {
        (ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::NotConnected, _) => {
            SendError::Disconnected
        }
        (ErrorKind::ConnectionRefused, _) if to.is_none() => SendError::Disconnected,
        (ErrorKind::ConnectionRefused | ErrorKind::NotFound, _) => SendError::Refused,
        (_, Errno::TooLong) => SendError::TooLarge { len, max: fd.max_len() },
        (_, Errno::NotPermitted) if !descriptors.is_empty() => {
            SendError::DescriptorsRefused { count: descriptors.len() }
        }
        _ => SendError::Io { len, source },
    }
}
