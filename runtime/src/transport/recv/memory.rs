//! Reads a frame from sealed memory.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;

use crate::error::{MemoryFault, RecvError};
use crate::memory::checked_len;
use crate::wire::is_reserved;

/// Reads the frame of `total` bytes from the first of `descriptors` into `buffer`. Leaves the other
/// descriptors.
pub(super) fn read_frame(
    total: u64,
    descriptors: &mut Vec<OwnedFd>,
    mut buffer: Vec<u8>,
    limit: usize,
) -> Result<Vec<u8>, RecvError> {
    let len = usize::try_from(total).unwrap_or(usize::MAX);
    if len > limit {
        return Err(RecvError::TooLarge { len, limit });
    }
    if descriptors.is_empty() {
        return Err(RecvError::BadMemory(MemoryFault::Missing));
    }
    let memfd = File::from(descriptors.remove(0));
    let found = checked_len(&memfd).map_err(RecvError::BadMemory)?;
    if found != total || found == 0 {
        return Err(RecvError::BadMemory(MemoryFault::Length { expected: total, found }));
    }
    buffer.clear();
    buffer.try_reserve_exact(len).map_err(|_| RecvError::NoMemory { len })?;
    buffer.resize(len, 0);
    let read = memfd.read_exact_at(&mut buffer, 0);
    read.map_err(|error| RecvError::BadMemory(MemoryFault::Io(error)))?;
    match buffer.first() {
        Some(&first) if !is_reserved(first) => Ok(buffer),
        _ => Err(RecvError::BadMemory(MemoryFault::NotAFrame)),
    }
}
