//! Populates memory before its first use.

use std::mem::MaybeUninit;

/// Makes `room` resident with one call instead of a page fault for each page. Before Linux 5.14 the call fails,
/// and page faults do it later.
///
/// `int madvise(void *addr, size_t length, int advice)` with `MADV_POPULATE_WRITE`; see madvise(2).
pub(crate) fn populate(room: &mut [MaybeUninit<u8>]) {
    if room.is_empty() {
        return;
    }
    // The call requires the start of a page.
    let before = room.as_ptr().addr() % page_size();
    let start = room.as_mut_ptr().wrapping_byte_sub(before);
    // SAFETY: the kernel rounds the length up to whole pages. Each of these pages has bytes of `room`, so it
    // is mapped. The call changes no bytes, neither in `room` nor beside it: it leaves pages that are already
    // resident as they are.
    unsafe { libc::madvise(start.cast(), before + room.len(), libc::MADV_POPULATE_WRITE) };
}

/// Returns the length of a page, in bytes: see sysconf(3).
pub(super) fn page_size() -> usize {
    // SAFETY: no memory is involved.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    // The call does not fail on Linux.
    usize::try_from(page).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_as_it_is() {
        for len in [1, 4095, 4096, 4097, 3_000_000] {
            let mut bytes = vec![MaybeUninit::new(7_u8); 3 * len];
            let (_, after) = bytes.split_at_mut(len);
            let (room, _) = after.split_at_mut(len);
            populate(room);
            // SAFETY: all of them were initialised above.
            assert!(bytes.iter().all(|byte| unsafe { byte.assume_init() } == 7));
        }
        populate(&mut []);
    }
}
