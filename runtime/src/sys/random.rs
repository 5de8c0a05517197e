//! Random numbers from the kernel, which differ in a forked copy of this process.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::process;
use std::time::Instant;

use super::errno::retry;

/// Returns a random number. If a system call filter refuses getrandom(2), derives one from the time, the process id
/// and the place of the stack (ASLR). The standard library's random keys do not help there: without getrandom(2), they
/// need /dev/urandom.
///
/// `ssize_t getrandom(void *buf, size_t buflen, unsigned int flags)`; see getrandom(2).
pub(crate) fn random() -> u32 {
    let mut bytes = [0; 4];
    let filled = retry(|| {
        // SAFETY: the pointer and the length are those of bytes exclusively borrowed for the call.
        unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), libc::GRND_NONBLOCK) }
    });
    match filled {
        Ok(4) => u32::from_ne_bytes(bytes),
        _ => {
            let mut hasher = DefaultHasher::new();
            (Instant::now(), process::id(), bytes.as_ptr().addr()).hash(&mut hasher);
            hasher.finish() as u32
        }
    }
}
