//! The CPU time and the memory that this process has used.

use std::fs;
use std::io;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Returns the CPU time of all threads, in user and kernel mode.
///
/// # Errors
///
/// The error of the system call.
pub fn cpu_time() -> Result<Duration> {
    cpu_time_of(libc::RUSAGE_SELF)
}

/// Returns the CPU time of all children that have ended and were waited for.
///
/// # Errors
///
/// The error of the system call.
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
    let times = [usage.ru_utime, usage.ru_stime].map(|time| -> Result<Duration> {
        let micros = Duration::from_micros(u64::try_from(time.tv_usec)?);
        Ok(Duration::from_secs(u64::try_from(time.tv_sec)?) + micros)
    });
    times.into_iter().sum()
}

/// Returns the most memory that was ever resident, in KiB: `VmHWM` of [proc(5)].
///
/// # Errors
///
/// If the kernel does not report it.
///
/// [proc(5)]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
pub fn peak_kib() -> Result<u64> {
    status_kib("VmHWM:")
}

/// Returns the resident memory without that of files, in KiB: `RssAnon` of proc(5). It does not include what
/// the kernel keeps for descriptors.
///
/// # Errors
///
/// If the kernel does not report it.
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
