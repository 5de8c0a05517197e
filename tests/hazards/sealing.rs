//! Memory that the kernel still uses when it is sealed.

use std::fs::File;
use std::io::{PipeReader, Read as _, Write as _, pipe};
use std::os::fd::AsRawFd as _;
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::SharedBytes;

/// The kernel waits for about 160 ms until nothing else uses the pages of a memory file. Then sealing fails with EBUSY.
const LONGER_THAN_ONE_TRY: Duration = Duration::from_millis(250);

/// Puts the first page of a file into a pipe, which thus refers to the page.
fn pin(file: &File) -> PipeReader {
    let (reader, writer) = pipe().unwrap();
    let mut from = 0;
    // SAFETY: both descriptors are open for the call. `from` outlives it, and a pipe has no offset.
    let len = unsafe {
        libc::splice(file.as_raw_fd(), &raw mut from, writer.as_raw_fd(), ptr::null_mut(), 4096, 0)
    };
    assert_eq!(len, 4096);
    reader
}

/// Returns whether the memory was in use when sealing began, which it is not if this thread pauses before.
fn seals_pinned_memory() -> bool {
    let mut began = Instant::now();
    let sealed = SharedBytes::with(|memory| {
        memory.write_all(&[7; 8192])?;
        let mut pinned = pin(memory);
        thread::spawn(move || {
            thread::sleep(LONGER_THAN_ONE_TRY);
            pinned.read_exact(&mut [0; 4096]).unwrap();
        });
        began = Instant::now();
        Ok(())
    });
    let was_pinned = began.elapsed() >= Duration::from_millis(100);
    // A pause of the other thread makes all tries fail.
    was_pinned && sealed.is_ok_and(|bytes| *bytes == [7; 8192])
}

#[test]
fn memory_that_is_in_use_for_a_moment_is_sealed() {
    assert!((0..20).any(|_| seals_pinned_memory()), "sealing gives up");
}
