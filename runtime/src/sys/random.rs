//! Random numbers from the kernel, which differ in a forked copy of this process.

use std::hash::{BuildHasher, RandomState};
use std::process;
use std::time::Instant;

use super::errno::retry;

/// Returns a random number. If a system call filter refuses getrandom(2), derives one from the standard
/// library's random keys, the process id and the time.
///
/// `ssize_t getrandom(void *buf, size_t buflen, unsigned int flags)`; see [getrandom(2)].
///
/// [getrandom(2)]: https://man7.org/linux/man-pages/man2/getrandom.2.html
pub(crate) fn random() -> u32 {
    let mut bytes = [0; 4];
    let filled = retry(|| {
        // SAFETY: the pointer and the length are those of bytes exclusively borrowed for the call.
        unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), libc::GRND_NONBLOCK) }
    });
    match filled {
        Ok(4) => u32::from_ne_bytes(bytes),
        _ => RandomState::new().hash_one((process::id(), Instant::now())) as u32,
    }
}
