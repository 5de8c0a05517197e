//! The number of descriptors that this process may have.

use std::io;

use anyhow::Result;

/// Raises the limit to `count` descriptors, or as far as possible, and returns the limit.
///
/// `int setrlimit(int resource, const struct rlimit *rlim)`; see [getrlimit(2)].
///
/// [getrlimit(2)]: https://man7.org/linux/man-pages/man2/getrlimit.2.html
pub(crate) fn allow_descriptors(count: usize) -> Result<usize> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to one rlimit, exclusively borrowed for the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut now) } != 0 {
        return Err(io::Error::last_os_error().into());
    }
    let wanted = (count as libc::rlim_t).max(now.rlim_cur);
    // Only a privileged process can exceed its hard limit.
    for allowed in [wanted, wanted.min(now.rlim_max)] {
        let limit = libc::rlimit { rlim_cur: allowed, rlim_max: allowed.max(now.rlim_max) };
        // SAFETY: the pointer is to one rlimit, which outlives the call and is only read.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } == 0 {
            return Ok(usize::try_from(allowed)?);
        }
    }
    Err(io::Error::last_os_error().into())
}
