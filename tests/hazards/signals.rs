//! Signals that interrupt calls.

use std::os::unix::thread::JoinHandleExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, RecvError};
use datagrammar_tests::{InMode as _, Numbered, numbered};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// Makes SIGUSR1 interrupt system calls without any other effect.
fn interrupt_on_sigusr1() {
    extern "C" fn nothing(_signal: libc::c_int) {}
    // SAFETY: sigaction is plain data, for which zero bytes are valid: an empty mask and no flags,
    // so no SA_RESTART.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as usize;
    // SAFETY: the handler does nothing, which is async-signal-safe, and lives as long as the program.
    let result = unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) };
    assert_eq!(result, 0);
}

/// Runs `task` in a thread that gets signals all the time.
fn under_signals<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> T {
    interrupt_on_sigusr1();
    let task = thread::spawn(task);
    while !task.is_finished() {
        // SAFETY: the thread has not been joined, so its id is valid.
        unsafe { libc::pthread_kill(task.as_pthread_t(), libc::SIGUSR1) };
        thread::sleep(Duration::from_micros(50));
    }
    task.join().unwrap()
}

#[test]
fn h17_signals_neither_surface_nor_prolong_a_deadline() {
    let (_theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let waited = under_signals(move || {
        let begun = Instant::now();
        let result = ours.recv_deadline(begun + Duration::from_millis(300)).map(|_| ());
        assert!(matches!(result, Err(RecvError::TimedOut)), "{result:?}");
        begun.elapsed()
    });
    assert!(waited >= Duration::from_millis(300), "too early: {waited:?}");
    // If each signal restarted the wait, it would never end. This is ample for a busy machine.
    assert!(waited < Duration::from_secs(30), "too late: {waited:?}");
}

#[test]
fn h17_signals_do_not_surface_from_blocking_calls() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let sender = thread::spawn({
        let stop = stop.clone();
        move || {
            for number in 0..100 {
                thread::sleep(Duration::from_millis(2));
                numbered(number, 10, |frame| theirs.send(frame)).unwrap();
            }
            stop.store(true, Ordering::Relaxed);
        }
    });
    let received = under_signals(move || {
        let mut received = 0;
        while let Some(frame) = ours.recv().unwrap() {
            assert_eq!(frame.decode().unwrap().check(), received);
            received += 1;
        }
        received
    });
    sender.join().unwrap();
    assert_eq!(received, 100);
}
