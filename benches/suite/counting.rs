//! The allocator of the process, which can count.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use anyhow::Result;

static COUNTING: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
static GROWTH: AtomicI64 = AtomicI64::new(0);

/// The system's allocator. While it does not count, it costs one look at a flag, in all ways alike.
#[derive(Debug)]
pub(crate) struct Counting;

/// Returns how many allocations all threads make while `work` runs.
pub(crate) fn allocations(work: impl FnOnce() -> Result<()>) -> Result<u64> {
    COUNT.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
    let result = work();
    COUNTING.store(false, Relaxed);
    result.map(|()| COUNT.load(Relaxed))
}

/// Returns by how many bytes the heap grows while `work` runs.
pub(crate) fn growth(work: impl FnOnce() -> Result<()>) -> Result<i64> {
    GROWTH.store(0, Relaxed);
    allocations(work)?;
    Ok(GROWTH.load(Relaxed))
}

/// Counts an allocation, which replaces one of `old` bytes.
fn count(new: usize, old: usize) {
    if COUNTING.load(Relaxed) {
        COUNT.fetch_add(1, Relaxed);
        GROWTH.fetch_add(new as i64 - old as i64, Relaxed);
    }
}

// SAFETY: every method passes its arguments to the system's allocator, and returns its result.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller guarantees what the system's allocator requires of `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        count(len, layout.size());
        // SAFETY: `memory` came from the system's allocator with `layout`, as all of this one's does,
        // and the caller guarantees the rest.
        unsafe { System.realloc(memory, layout, len) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if COUNTING.load(Relaxed) {
            GROWTH.fetch_sub(layout.size() as i64, Relaxed);
        }
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}
