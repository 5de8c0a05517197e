//! Descriptor inheritance: what child programs get, and what this process got.

use std::fs::File;
use std::io;
use std::iter;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::errno::retry;

/// The first descriptor that is not a standard stream.
const FIRST: RawFd = 3;

/// Makes the child inherit only its standard streams.
///
/// Marks the other descriptors close-on-exec instead of closing them, because the standard library uses one
/// of them to report a failed exec to the parent.
///
/// # Errors
///
/// The error of close_range(2), if the call is refused and the descriptors cannot be found without it.
pub(crate) fn inherit_only_stdio(command: &mut Command) -> io::Result<()> {
    // No descriptor has this number: this only checks whether the call is allowed.
    if let Err(refused) = set_cloexec_from(libc::c_uint::MAX) {
        let set: Vec<_> = iter::repeat_with(AtomicUsize::default).take(SET_LEN).collect();
        descriptor_bound(&set).ok_or(refused)?;
    }
    let set_cloexec = || {
        // Used in the child alone, which has only this thread (fork(2)).
        static SET: [AtomicUsize; SET_LEN] = [const { AtomicUsize::new(0) }; SET_LEN];
        set_cloexec_from(FIRST as libc::c_uint).or_else(|refused| set_cloexec_each(&SET, refused))
    };
    // SAFETY: between fork and exec, `set_cloexec` makes system calls, reads errno and writes to a static of
    // its own: it allocates nothing, takes no lock, and touches no memory of other threads (fork(2),
    // signal-safety(7)).
    unsafe { command.pre_exec(set_cloexec) };
    Ok(())
}

/// Marks all descriptors from `first` on close-on-exec.
///
/// `int close_range(unsigned int first, unsigned int last, int flags)` with `CLOSE_RANGE_CLOEXEC`, since
/// Linux 5.11; see close_range(2).
fn set_cloexec_from(first: libc::c_uint) -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: no memory is involved, as the arguments are numbers.
    match unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Marks the descriptors from `FIRST` on one by one, or fails with `refused`.
fn set_cloexec_each(set: &[AtomicUsize], refused: io::Error) -> io::Result<()> {
    let Some(end) = descriptor_bound(set) else { return Err(refused) };
    for fd in FIRST..end {
        // SAFETY: no memory is involved, and a number that is not an open descriptor is an error.
        match retry(|| unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) }) {
            Err(error) if error.raw_os_error() != Some(libc::EBADF) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The length of a descriptor set of select(2), in words: enough for 2²⁰ descriptors, the default of `fs.nr_open`
/// (proc_sys_fs(5)).
const SET_LEN: usize = (1 << 20) / usize::BITS as usize + 1;

/// Finds a number above all open descriptors, close to the highest, independent of RLIMIT_NOFILE and without
/// /proc. Returns `None` if it does not fit in `set`, or if select(2) is refused.
///
/// select(2) fails with EBADF for a descriptor that is not open, but ignores one "greater than the maximum
/// file descriptor number that the process currently has open" (BUGS): the kernel checks only as far as its
/// descriptor table (`core_sys_select`). If select(2) succeeds for a closed descriptor, no higher one is open.
/// If the kernel changes this, every call fails, and the result is `None`.
fn descriptor_bound(set: &[AtomicUsize]) -> Option<RawFd> {
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let mut fd: RawFd = 64;
    loop {
        let len = usize::try_from(fd).ok()? / usize::BITS as usize + 1;
        let set = set.get(..len)?;
        // `fd` is a multiple of a word's bits, so its bit is the lowest of the last word.
        set.last()?.store(1, Ordering::Relaxed);
        let found = retry(|| {
            let (set, none) = (set.as_ptr().cast_mut().cast(), ptr::null_mut());
            // SAFETY: `set` has the `fd + 1` bits that the kernel reads and writes, in words that may be written through
            // a shared reference, and that only this thread refers to; there are no other sets, the timeout outlives the
            // call, and a null pointer leaves the signal mask alone.
            unsafe { libc::pselect(fd + 1, set, none, none, &raw const at_once, ptr::null()) }
        });
        set.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        match found {
            // SAFETY: no memory is involved, and a number that is not an open descriptor is an error.
            Ok(_) if unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1 => return Some(fd),
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(libc::EBADF) => {}
            Err(_) => return None,
        }
        fd *= 2;
    }
}

/// Replaces the standard input with an empty one.
pub(crate) fn empty_stdin() -> io::Result<()> {
    let empty: OwnedFd = match File::open("/dev/null") {
        Ok(null) => null.into(),
        // If /dev/null is missing or refused, use a pipe without a writer, which is empty too.
        Err(_) => io::pipe()?.0.into(),
    };
    retry(|| {
        // SAFETY: no memory is involved. `empty` is open for the call, and descriptor 0 is the standard
        // input, which nobody owns: it is replaced, and never closed.
        unsafe { libc::dup2(empty.as_raw_fd(), libc::STDIN_FILENO) }
    })?;
    Ok(())
}

/// Takes over the first `count` descriptors after the standard streams that this process was started with,
/// and marks them close-on-exec. Only the first call takes any.
///
/// If one of them is missing, returns its number, and takes none. A descriptor is missing if it is not open,
/// or is already marked close-on-exec: then the standard library or this crate opened it later, and it has an
/// owner.
pub(crate) fn take_inherited(count: usize) -> io::Result<Result<Vec<OwnedFd>, RawFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Ok(Vec::new()));
    }
    let last = RawFd::try_from(count).ok().and_then(|count| FIRST.checked_add(count));
    let last = last.unwrap_or(RawFd::MAX);
    for fd in FIRST..last {
        // SAFETY: no memory is involved, and a number that is not an open descriptor is an error.
        match retry(|| unsafe { libc::fcntl(fd, libc::F_GETFD) }) {
            Ok(flags) if flags & libc::FD_CLOEXEC == 0 => {}
            Err(error) if error.raw_os_error() != Some(libc::EBADF) => return Err(error),
            _ => return Ok(Err(fd)),
        }
    }
    for fd in FIRST..last {
        // SAFETY: as above.
        retry(|| unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    }
    // SAFETY: each descriptor is open, and was not close-on-exec. The standard library and this crate open
    // everything close-on-exec, so it came through exec, and sd_listen_fds(3) gives it to this process
    // alone. This function takes it over only once, and `activated` asks its caller to let nothing else in
    // the process take it over.
    Ok(Ok((FIRST..last).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }).collect()))
}
