//! Interrupts the system calls of all threads with signals.

use std::fs;
use std::mem;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A thread that signals every other thread of the process until this is dropped.
pub(crate) struct Storm(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Storm {
    pub(crate) fn begin() -> Self {
        interrupt_on_sigusr1();
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                signal_others();
                thread::sleep(Duration::from_micros(300));
            }
        });
        Self(is_over, Some(thread))
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.take().map(JoinHandle::join).unwrap().unwrap();
    }
}

/// Makes SIGUSR1 only interrupt system calls.
fn interrupt_on_sigusr1() {
    extern "C" fn nothing(_signal: libc::c_int) {}
    // SAFETY: sigaction is plain data, for which zero bytes are valid: an empty mask and no flags, so no SA_RESTART.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as usize;
    // SAFETY: the handler does nothing, which is async-signal-safe, and lives as long as the program.
    let result = unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut()) };
    assert_eq!(result, 0);
}

fn signal_others() {
    let own = rustix::thread::gettid().as_raw_nonzero().get();
    let process = rustix::process::getpid().as_raw_nonzero().get();
    // Fails while a test allows no more descriptors.
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let thread: i32 = task.file_name().to_str().unwrap().parse().unwrap();
        if thread != own {
            // SAFETY: no memory is involved. A thread of this process gets the signal, or none.
            unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGUSR1) };
        }
    }
}
