//! The processors that a thread may run on.

use std::io;
use std::mem;

/// Returns the processors that the calling thread may run on, in ascending order.
///
/// `int sched_getaffinity(pid_t pid, size_t cpusetsize, cpu_set_t *mask)`; see
/// [sched_setaffinity(2)].
///
/// # Errors
///
/// The error of the system call.
///
/// [sched_setaffinity(2)]: https://man7.org/linux/man-pages/man2/sched_setaffinity.2.html
pub fn allowed() -> io::Result<Vec<usize>> {
    let mut set = empty();
    // SAFETY: the pointer and the length are those of one set, exclusively borrowed for the call.
    // Thread 0 is the calling one.
    let result = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: every number is below the number of bits in a set.
    let is_set = |&cpu: &usize| unsafe { libc::CPU_ISSET(cpu, &set) };
    Ok((0..libc::CPU_SETSIZE as usize).filter(is_set).collect())
}

/// Lets the calling thread, and threads that it starts, run on one processor only.
///
/// `int sched_setaffinity(pid_t pid, size_t cpusetsize, const cpu_set_t *mask)`.
///
/// # Errors
///
/// The error of the system call; `InvalidInput` if a set has no such processor.
pub fn pin(cpu: usize) -> io::Result<()> {
    if cpu >= libc::CPU_SETSIZE as usize {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut set = empty();
    // SAFETY: the number is below the number of bits in a set, as checked.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the pointer and the length are those of one set, which outlives the call and is only
    // read. Thread 0 is the calling one.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn empty() -> libc::cpu_set_t {
    // SAFETY: a set is an array of integers, for which zero bytes are valid.
    unsafe { mem::zeroed() }
}
