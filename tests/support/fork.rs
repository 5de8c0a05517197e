//! Children made by fork(2) without exec, and bounded waits for them.

use std::fs;
use std::io::{self, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

/// A forked copy of this process with only the calling thread. The copy is killed when this is dropped.
#[derive(Debug)]
pub struct Forked(libc::pid_t);

/// Runs `child` in a forked copy of this process. The copy exits with its result.
///
/// The other threads of this process do not exist in the copy, whatever they were doing, so `child` must not depend on
/// them.
///
/// # Panics
///
/// If the kernel refuses.
pub fn fork(child: impl FnOnce() -> bool) -> Forked {
    // Read in advance, so that no other thread is reading it when this one forks.
    crate::is_eager();
    // SAFETY: the child runs only `child`, and ends with _exit, which runs no destructors. It only sends, receives and
    // allocates, which glibc supports after a fork of a process with threads.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", io::Error::last_os_error()),
        0 => {
            // The harness would keep the message in memory, which ends with this copy.
            panic::set_hook(Box::new(|panic| {
                _ = writeln!(io::stderr(), "in a forked copy: {panic}");
            }));
            let done = panic::catch_unwind(AssertUnwindSafe(child)).unwrap_or(false);
            // SAFETY: it does not return, and touches no memory.
            unsafe { libc::_exit(if done { 0 } else { 1 }) }
        }
        pid => Forked(pid),
    }
}

/// Returns how many bytes of memory this process uses, without free memory. Call it in a copy if other tests share the
/// process: memory that they have freed would be reused, and not counted.
///
/// # Panics
///
/// Without /proc.
pub fn resident() -> usize {
    #[cfg(target_env = "gnu")]
    // SAFETY: it changes no memory in use (malloc_trim(3)).
    unsafe {
        libc::malloc_trim(0)
    };
    // Counted page by page. /proc/self/status is wrong by some pages for each processor (proc_pid_status(5)).
    let memory = fs::read_to_string("/proc/self/smaps_rollup").expect("/proc");
    let line = memory.lines().find_map(|line| line.strip_prefix("Anonymous:")).expect("a number");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}

impl Forked {
    /// Returns whether the child has succeeded. Returns `None` if it has not ended after `patience`, and was killed.
    ///
    /// # Panics
    ///
    /// If the kernel refuses.
    pub fn ends_within(self, patience: Duration) -> Option<bool> {
        let deadline = Instant::now() + patience;
        let mut pause = Duration::from_micros(50);
        loop {
            let mut status = 0;
            // SAFETY: the pointer is to an integer, exclusively borrowed for the call.
            match unsafe { libc::waitpid(self.0, &raw mut status, libc::WNOHANG) } {
                0 if Instant::now() >= deadline => return None,
                0 => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(10));
                }
                -1 => panic!("waitpid: {}", io::Error::last_os_error()),
                _ => {
                    std::mem::forget(self);
                    return Some(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0);
                }
            }
        }
    }

    /// Checks that the child succeeds within a minute.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn check(self) {
        match self.ends_within(Duration::from_secs(60)) {
            Some(true) => {}
            Some(false) => panic!("a forked copy failed"),
            None => panic!("a forked copy hangs"),
        }
    }
}

impl Drop for Forked {
    fn drop(&mut self) {
        // SAFETY: no memory is involved. The child has not been waited for, so its process id is not reused.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
        let mut status = 0;
        // SAFETY: the pointer is to an integer, exclusively borrowed for the call.
        unsafe { libc::waitpid(self.0, &raw mut status, 0) };
    }
}
