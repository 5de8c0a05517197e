//! Sends over a datagram socket. Over UNIX, a frame that is too large for one datagram travels in sealed
//! memory.

use std::fs::File;
use std::io::{self, IoSlice, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};

use super::datagram::{Outgoing, Route, is_too_long};
use crate::error::SendError;
use crate::sys::{self, Kind, MAX_DESCRIPTORS};
use crate::wire::{HEAD_LEN, Head};

/// Sends a frame over a socket without a connection.
#[inline]
pub(crate) fn send_to(route: Route<'_>, outgoing: Outgoing<'_>) -> Result<(), SendError> {
    match route.send(outgoing) {
        Err(error) if is_too_long(&error) && route.fd.kind() == Kind::UnixDatagram => {
            match outgoing.len > HEAD_LEN && outgoing.descriptors.len() < MAX_DESCRIPTORS {
                true => send_as_memory(route, outgoing),
                false if matches!(error, SendError::TooLarge { .. }) => {
                    let (count, max) = (outgoing.descriptors.len(), MAX_DESCRIPTORS - 1);
                    Err(SendError::TooManyDescriptors { count, max })
                }
                false => route.send_with_retries(outgoing),
            }
        }
        result => result,
    }
}

#[cold]
fn send_as_memory(route: Route<'_>, outgoing: Outgoing<'_>) -> Result<(), SendError> {
    let (len, count) = (outgoing.len, outgoing.descriptors.len());
    let memfd = fill(outgoing.slices).map_err(|source| SendError::Io { len, source })?;
    let head = Head::Memory { total: len as u64 }.to_bytes();
    // The memory file precedes the message's own descriptors.
    let descriptors: Vec<BorrowedFd<'_>> =
        [memfd.as_fd()].into_iter().chain(outgoing.descriptors.iter().copied()).collect();
    let envelope = Outgoing { slices: &[IoSlice::new(&head)], descriptors: &descriptors, len };
    match route.send_with_retries(envelope) {
        Err(SendError::DescriptorsRefused { .. }) if count == 0 => {
            Err(SendError::Io { len, source: io::ErrorKind::PermissionDenied.into() })
        }
        Err(SendError::DescriptorsRefused { .. }) => Err(SendError::DescriptorsRefused { count }),
        result => result,
    }
}

fn fill(slices: &[IoSlice<'_>]) -> io::Result<File> {
    let mut memfd = sys::memfd()?;
    for slice in slices {
        memfd.write_all(slice)?;
    }
    sys::seal(memfd.as_fd())?;
    Ok(memfd)
}
