//! The number of descriptors that this process may have.

use std::io;

use anyhow::{Result, ensure};

/// Raises the limit to `count` descriptors, or as far as possible, and returns the limit.
///
/// `int setrlimit(int resource, const struct rlimit *rlim)`; see [getrlimit(2)].
///
/// [getrlimit(2)]: https://man7.org/linux/man-pages/man2/getrlimit.2.html
pub(crate) fn allow_descriptors(count: usize) -> Result<usize> {
    let wanted = libc::rlim_t::try_from(count)?;
    let libc::rlimit { rlim_cur: now, rlim_max: most } = descriptors()?;
    if now >= wanted {
        return Ok(usize::try_from(now)?);
    }
    // Only a privileged process can exceed its hard limit.
    for limit in [
        libc::rlimit { rlim_cur: wanted, rlim_max: wanted.max(most) },
        libc::rlimit { rlim_cur: wanted.min(most), rlim_max: most },
    ] {
        // SAFETY: the pointer is to one rlimit, which outlives the call and is only read.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } == 0 {
            return Ok(usize::try_from(limit.rlim_cur)?);
        }
    }
    Err(io::Error::last_os_error().into())
}

fn descriptors() -> Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to one rlimit, exclusively borrowed for the call.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    ensure!(result == 0, "{}", io::Error::last_os_error());
    Ok(limit)
}
