//! Memory of dropped frames, which the dropping thread reuses.
//!
//! A lock that threads share would cost more than the allocator does.

use std::cell::RefCell;

/// The largest buffer that is kept, in bytes.
pub(crate) const MAX_SPARE: usize = 4096;

/// Classes of buffers by size: a short frame that is kept for long must not hold the memory of a long one.
const CLASSES: [Class; 3] = [
    Class { max_len: 256, max_total: 16 * 1024 },
    Class { max_len: 1024, max_total: 16 * 1024 },
    Class { max_len: MAX_SPARE, max_total: 32 * 1024 },
];

/// The most buffers of a class that a thread keeps.
const MAX_COUNT: usize = 256;

thread_local! {
    static SPARE: RefCell<[Spare; CLASSES.len()]> =
        const { RefCell::new([const { Spare { buffers: Vec::new(), total: 0 } }; CLASSES.len()]) };
}

struct Class {
    /// The largest buffer, in bytes.
    max_len: usize,
    /// The most bytes that a thread keeps.
    max_total: usize,
}

struct Spare {
    buffers: Vec<Vec<u8>>,
    total: usize,
}

/// Copies `bytes`. Few bytes go into memory that the thread has kept.
#[inline]
pub(crate) fn copy(bytes: &[u8]) -> Vec<u8> {
    let mut copy = take(bytes.len());
    // A buffer with spare capacity could be too large to be kept.
    copy.reserve_exact(bytes.len());
    copy.extend_from_slice(bytes);
    copy
}

/// Returns an empty buffer that the thread has kept and that is not much larger than `len`, or one without memory.
#[inline]
fn take(len: usize) -> Vec<u8> {
    with(len, |spare, _class| {
        let buffer = spare.buffers.pop()?;
        spare.total -= buffer.capacity();
        Some(buffer)
    })
    .unwrap_or_default()
}

/// Keeps the memory of `buffer`, unless it is too large or the thread has enough.
#[inline]
pub(crate) fn keep(mut buffer: Vec<u8>) {
    let len = buffer.capacity();
    if len == 0 {
        return;
    }
    with(len, |spare, class| {
        if spare.buffers.len() < MAX_COUNT && spare.total + len <= class.max_total {
            buffer.clear();
            spare.total += len;
            spare.buffers.push(buffer);
        }
        Some(())
    });
}

/// Changes the buffers of the class of `len`. Does nothing if there is none, or while the thread ends.
#[inline]
fn with<T>(len: usize, change: impl FnOnce(&mut Spare, &Class) -> Option<T>) -> Option<T> {
    let at = CLASSES.iter().position(|class| len <= class.max_len)?;
    SPARE
        .try_with(|spare| change(spare.try_borrow_mut().ok()?.get_mut(at)?, CLASSES.get(at)?))
        .ok()?
}

#[cfg(test)]
mod tests {
    use super::{CLASSES, MAX_COUNT, MAX_SPARE, SPARE, copy, keep, take};

    /// Returns how many buffers of each class are kept, and how many bytes.
    fn kept() -> [(usize, usize); CLASSES.len()] {
        SPARE.with_borrow(|spare| spare.each_ref().map(|spare| (spare.buffers.len(), spare.total)))
    }

    #[test]
    fn a_buffer_is_used_again_and_empty() {
        let buffer = vec![1; 100];
        let memory = buffer.as_ptr();
        keep(buffer);
        let again = copy(&[2; 10]);
        assert_eq!((again.as_ptr(), &again[..]), (memory, &[2; 10][..]));
        assert_eq!((take(10).capacity(), kept()), (0, [(0, 0); 3]));
    }

    #[test]
    fn a_short_frame_takes_no_large_buffer() {
        for len in [1, 100, 300, 2000] {
            keep(Vec::with_capacity(MAX_SPARE));
            let short = copy(&vec![7; len]);
            assert!(short.capacity() <= 256.max(4 * len), "{} bytes for {len}", short.capacity());
        }
    }

    #[test]
    fn a_buffer_that_grows_can_be_kept() {
        keep(Vec::with_capacity(3000));
        keep(copy(&[7; MAX_SPARE]));
        assert_eq!(kept(), [(0, 0), (0, 0), (1, MAX_SPARE)]);
    }

    #[test]
    fn a_thread_keeps_few_buffers_and_no_large_ones() {
        keep(Vec::new());
        keep(Vec::with_capacity(MAX_SPARE + 1));
        assert_eq!(kept(), [(0, 0); 3]);
        for _ in 0..=MAX_COUNT {
            keep(Vec::with_capacity(1));
        }
        assert_eq!(kept(), [(MAX_COUNT, MAX_COUNT), (0, 0), (0, 0)]);
        while take(1).capacity() > 0 {}
        for class in &CLASSES {
            for _ in 0..=class.max_total / class.max_len {
                keep(Vec::with_capacity(class.max_len));
            }
        }
        assert_eq!(kept(), CLASSES.map(|class| (class.max_total / class.max_len, class.max_total)));
    }
}
