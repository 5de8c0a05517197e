//! Reads a frame from sealed memory.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::slot::Slot;
use crate::error::{MemoryFault, RecvError};
use crate::memory::checked_len;
use crate::wire::is_reserved;

/// Reads the frame of `total` bytes from the first descriptor of the envelope in `slot`, and puts it there.
/// Leaves the other descriptors.
pub(super) fn read_frame(
    slot: &mut Slot,
    total: u64,
    limit: usize,
) -> Result<Range<usize>, RecvError> {
    let len = usize::try_from(total).unwrap_or(usize::MAX);
    if len > limit {
        return Err(RecvError::TooLarge { len, limit });
    }
    let descriptors = slot.ancillary.as_mut().map(|ancillary| &mut ancillary.descriptors);
    let Some(descriptors) = descriptors.filter(|descriptors| !descriptors.is_empty()) else {
        return Err(RecvError::BadMemory(MemoryFault::Missing));
    };
    let memfd = File::from(descriptors.remove(0));
    let found = checked_len(&memfd).map_err(RecvError::BadMemory)?;
    if found != total || found == 0 {
        return Err(RecvError::BadMemory(MemoryFault::Length { expected: total, found }));
    }
    let mut buffer = slot.take_spare();
    buffer.clear();
    buffer.try_reserve_exact(len).map_err(|_| RecvError::NoMemory { len })?;
    buffer.resize(len, 0);
    let read = memfd.read_exact_at(&mut buffer, 0);
    read.map_err(|error| RecvError::BadMemory(MemoryFault::Io(error)))?;
    match buffer.first() {
        Some(&first) if !is_reserved(first) => {
            slot.put(buffer);
            Ok(0..len)
        }
        _ => Err(RecvError::BadMemory(MemoryFault::NotAFrame)),
    }
}
