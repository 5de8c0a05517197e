//! Memory of dropped frames, which their thread uses again.
//!
//! A lock that threads share would cost more than the allocator does.

use std::cell::RefCell;

/// The largest buffer that is kept, in bytes.
pub(crate) const MAX_SPARE: usize = 4096;

/// The most buffers that a thread keeps, and the most bytes of them.
const MAX_COUNT: usize = 256;
const MAX_TOTAL: usize = 64 * 1024;

thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { buffers: Vec::new(), total: 0 }) };
}

struct Spare {
    buffers: Vec<Vec<u8>>,
    total: usize,
}

/// Copies `bytes`, if they are few to memory that the thread has kept.
#[inline]
pub(crate) fn copy(bytes: &[u8]) -> Vec<u8> {
    let mut copy = if bytes.len() <= MAX_SPARE { take() } else { Vec::new() };
    copy.extend_from_slice(bytes);
    copy
}

/// Returns an empty buffer that the thread has kept, or one without memory.
#[inline]
fn take() -> Vec<u8> {
    with(|spare| {
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
    if !(1..=MAX_SPARE).contains(&len) {
        return;
    }
    with(|spare| {
        if spare.buffers.len() < MAX_COUNT && spare.total + len <= MAX_TOTAL {
            buffer.clear();
            spare.total += len;
            spare.buffers.push(buffer);
        }
        Some(())
    });
}

/// Does nothing while the thread ends.
#[inline]
fn with<T>(change: impl FnOnce(&mut Spare) -> Option<T>) -> Option<T> {
    SPARE.try_with(|spare| change(&mut *spare.try_borrow_mut().ok()?)).ok()?
}

#[cfg(test)]
mod tests {
    use super::{MAX_COUNT, MAX_SPARE, MAX_TOTAL, SPARE, copy, keep, take};

    fn kept() -> (usize, usize) {
        SPARE.with_borrow(|spare| (spare.buffers.len(), spare.total))
    }

    #[test]
    fn a_buffer_is_used_again_and_empty() {
        let buffer = vec![1; 100];
        let memory = buffer.as_ptr();
        keep(buffer);
        let again = copy(&[2; 10]);
        assert_eq!((again.as_ptr(), &again[..]), (memory, &[2; 10][..]));
        assert_eq!((take().capacity(), kept()), (0, (0, 0)));
    }

    #[test]
    fn a_thread_keeps_few_buffers_and_no_large_ones() {
        keep(Vec::new());
        keep(Vec::with_capacity(MAX_SPARE + 1));
        assert_eq!(kept(), (0, 0));
        for _ in 0..=MAX_COUNT {
            keep(Vec::with_capacity(1));
        }
        assert_eq!(kept().0, MAX_COUNT);
        while take().capacity() > 0 {}
        for _ in 0..=MAX_TOTAL / MAX_SPARE {
            keep(Vec::with_capacity(MAX_SPARE));
        }
        assert_eq!(kept(), (MAX_TOTAL / MAX_SPARE, MAX_TOTAL));
    }
}
