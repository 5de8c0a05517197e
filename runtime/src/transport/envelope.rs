//! A frame that is too large for its datagram, and has to stay one: it travels as sealed memory beside
//! an envelope. On UNIX datagram sockets, which tell no connection that pieces could belong to.

use std::fs::File;
use std::io::{self, IoSlice, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt as _;

use super::receive::{Beside, discard, take_message};
use super::transmit::{Parcel, transmit};
use crate::error::{FragmentFault, MemoryFault, RecvError, SendError};
use crate::limits::Limits;
use crate::memory::checked_len;
use crate::sys::{self, DatagramFd, Kind, MAX_DESCRIPTORS, Name, Peeked};
use crate::wait::Wait;
use crate::wire::{HEAD_LEN, Head};

/// Sends a frame to `to`: as its datagram, or as memory beside one.
#[inline]
pub(crate) fn transmit_to(
    fd: &DatagramFd,
    parcel: Parcel<'_>,
    to: &Name,
    wait: Wait,
) -> Result<(), SendError> {
    match transmit(fd, parcel, Some(to), wait) {
        Err(SendError::TooLarge { .. }) if fd.kind() == Kind::UnixDatagram => {
            transmit_memory(fd, parcel, to, wait)
        }
        result => result,
    }
}

#[cold]
fn transmit_memory(
    fd: &DatagramFd,
    parcel: Parcel<'_>,
    to: &Name,
    wait: Wait,
) -> Result<(), SendError> {
    let (len, count, max) = (parcel.len, parcel.descriptors.len(), MAX_DESCRIPTORS - 1);
    if count > max {
        return Err(SendError::TooManyDescriptors { count, max });
    }
    let memfd = filled(parcel.slices).map_err(|source| SendError::Io { len, source })?;
    let head = Head::Memfd { total: len as u64 }.to_bytes(0);
    // The memory comes before the message's own descriptors.
    let descriptors: Vec<BorrowedFd<'_>> =
        [memfd.as_fd()].into_iter().chain(parcel.descriptors.iter().copied()).collect();
    let envelope = Parcel { slices: &[IoSlice::new(&head)], descriptors: &descriptors, len };
    match transmit(fd, envelope, Some(to), wait) {
        Err(SendError::DescriptorsRefused { .. }) if count == 0 => {
            Err(SendError::Io { len, source: io::ErrorKind::PermissionDenied.into() })
        }
        Err(SendError::DescriptorsRefused { .. }) => Err(SendError::DescriptorsRefused { count }),
        result => result,
    }
}

fn filled(slices: &[IoSlice<'_>]) -> io::Result<File> {
    let mut memfd = sys::memfd()?;
    for slice in slices {
        memfd.write_all(slice)?;
    }
    sys::seal(memfd.as_fd())?;
    Ok(memfd)
}

/// Receives the frame that the peeked envelope is about, and tells who sent it. `None` when somebody else
/// has taken it.
#[cold]
pub(super) fn receive_memory(
    fd: &DatagramFd,
    buffer: &mut Vec<u8>,
    peeked: &Peeked,
    limits: Limits,
) -> Result<Option<Beside>, RecvError> {
    let refuse = |fault| {
        discard(fd)?;
        Err(RecvError::BadFragment(fault))
    };
    if peeked.len < HEAD_LEN {
        return refuse(FragmentFault::Short { len: peeked.len });
    }
    let total = match Head::from_bytes(peeked.head).0 {
        Ok(Head::Memfd { total }) if peeked.len == HEAD_LEN => total,
        Ok(Head::Memfd { .. }) => return refuse(FragmentFault::Long { len: peeked.len }),
        Ok(head @ (Head::First { .. } | Head::Next { .. })) => {
            return refuse(FragmentFault::Kind(head.kind()));
        }
        Err(kind) => return refuse(FragmentFault::Kind(kind)),
    };
    let len = usize::try_from(total).unwrap_or(usize::MAX);
    if len > limits.frame_len {
        discard(fd)?;
        return Err(RecvError::TooLarge { len, limit: limits.frame_len });
    }
    let mut head = [0; HEAD_LEN];
    buffer.clear();
    let Some(mut received) = take_message(fd, &mut head, &mut Vec::new())? else {
        return Ok(None);
    };
    if received.len != peeked.len || head != peeked.head {
        return Err(RecvError::Stolen { peeked: peeked.len, len: received.len });
    }
    if received.descriptors.is_empty() {
        return Err(RecvError::BadMemory(MemoryFault::Missing));
    }
    let memfd = File::from(received.descriptors.remove(0));
    check(&memfd, total).map_err(RecvError::BadMemory)?;
    buffer.try_reserve_exact(len).map_err(|_| RecvError::NoMemory { len })?;
    buffer.resize(len, 0);
    memfd.read_exact_at(buffer, 0).map_err(|error| RecvError::BadMemory(MemoryFault::Io(error)))?;
    Ok(Some(received.into()))
}

/// Checks that the memory is there and stays as it is, and that it is as long as announced.
fn check(memfd: &File, expected: u64) -> Result<(), MemoryFault> {
    let found = checked_len(memfd)?;
    if found != expected || found == 0 {
        return Err(MemoryFault::Length { expected, found });
    }
    Ok(())
}
