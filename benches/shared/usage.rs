//! What the process has used so far: CPU time and memory.

use std::fs;
use std::io;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The CPU time of all threads, in user and kernel mode.
///
/// # Errors
///
/// That of the system call.
pub fn cpu_time() -> Result<Duration> {
    cpu_time_of(libc::RUSAGE_SELF)
}

/// The CPU time of all children that have ended and were waited for.
///
/// # Errors
///
/// That of the system call.
pub fn children_cpu_time() -> Result<Duration> {
    cpu_time_of(libc::RUSAGE_CHILDREN)
}

/// `int getrusage(int who, struct rusage *usage)`; see [getrusage(2)].
///
/// [getrusage(2)]: https://man7.org/linux/man-pages/man2/getrusage.2.html
fn cpu_time_of(who: libc::c_int) -> Result<Duration> {
    // SAFETY: rusage is numbers alone, for which zero bytes are valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to an rusage, exclusively borrowed for the call.
    let result = unsafe { libc::getrusage(who, &raw mut usage) };
    if result != 0 {
        return Err(io::Error::last_os_error().into());
    }
    Ok(duration(usage.ru_utime)? + duration(usage.ru_stime)?)
}

fn duration(time: libc::timeval) -> Result<Duration> {
    let micros = u64::try_from(time.tv_usec)?;
    Ok(Duration::from_secs(u64::try_from(time.tv_sec)?) + Duration::from_micros(micros))
}

/// The most memory that was ever resident, in KiB: `VmHWM` of [proc(5)].
///
/// # Errors
///
/// When the kernel does not tell.
///
/// [proc(5)]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
pub fn peak_kib() -> Result<u64> {
    status_kib("VmHWM:")
}

/// The memory that is resident now, in KiB: `VmRSS` of proc(5).
///
/// # Errors
///
/// When the kernel does not tell.
pub fn resident_kib() -> Result<u64> {
    status_kib("VmRSS:")
}

/// The resident memory that is of no file, in KiB: `RssAnon` of proc(5). What the kernel keeps for
/// descriptors is not part of it.
///
/// # Errors
///
/// When the kernel does not tell.
pub fn anonymous_kib() -> Result<u64> {
    status_kib("RssAnon:")
}

fn status_kib(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok())
        .with_context(|| format!("the kernel does not tell {name}"))
}
