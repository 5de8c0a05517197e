//! Programs that a service manager has started, or seems to have started.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{self, Command};

use datagrammar::{Activated, Listener};
use datagrammar_tests::Numbered;
use rustix::process::{PidfdFlags, getpid, pidfd_open};

/// Serves one client of the listener that this process was started with.
pub(crate) fn serve() {
    announce("LISTEN_PID", process::id());
    let mut activated = datagrammar::activated().expect("descriptors");
    let Activated { name, fd, .. } = activated.pop().expect("a descriptor");
    let listener = Listener::<Numbered<'_>, Numbered<'_>>::adopt(fd).expect("a listener");
    let (mut tx, mut rx) = listener.accept().expect("a client").split();
    while let Some(frame) = rx.recv().expect("a frame") {
        tx.send(&frame.decode().expect("a message")).expect("sent");
    }
    println!("{name} {}", datagrammar::activated().expect("nothing").len());
}

/// The variables announce a descriptor that was not passed, and this process has opened one with that number itself.
pub(crate) fn refuse() {
    // SAFETY: nothing in this process uses the descriptor that it may have inherited there.
    unsafe { libc::close(3) };
    let mut own = File::open("/proc/version").expect("a file");
    assert_eq!(own.as_raw_fd(), 3);
    announce("LISTEN_PID", process::id());
    println!("{}", datagrammar::activated().expect_err("what belongs to somebody"));
    let mut text = String::new();
    own.read_to_string(&mut text).expect("our own file");
}

/// Takes a descriptor over, and executes this program again.
pub(crate) fn execute_anew() {
    announce("LISTEN_PID", process::id());
    assert_eq!(datagrammar::activated().expect("a descriptor").len(), 1);
    let program = std::env::current_exe().expect("this program");
    panic!("{}", Command::new(program).arg("activated-again").exec());
}

/// The variables announce a descriptor that the same process had before it executed this program.
pub(crate) fn take_again() {
    println!("{}", datagrammar::activated().expect_err("what is closed"));
}

/// The variables identify the process by the inode of its pidfd: first of another process, then as text that is not a
/// number, and then of this process.
pub(crate) fn take_by_inode() {
    let pidfd: OwnedFd = pidfd_open(getpid(), PidfdFlags::empty()).expect("a pidfd");
    let pidfd = File::from(pidfd);
    if rustix::fs::fstatfs(&pidfd).expect("a file system").f_type != 0x5049_4446 {
        println!("SKIPPED: this kernel gives pidfds no inodes of their own (before Linux 6.9)");
        return;
    }
    let own = pidfd.metadata().expect("an inode").ino();
    drop(pidfd);
    announce("LISTEN_PID", process::id());
    announce("LISTEN_PIDFDID", own + 1);
    let others = datagrammar::activated().expect("none").len();
    announce("LISTEN_PIDFDID", "own");
    let error = datagrammar::activated().expect_err("no number");
    announce("LISTEN_PIDFDID", own);
    let ours = datagrammar::activated().expect("a descriptor").len();
    println!("{others}, {error}, {ours}");
}

/// Sets the variables for one descriptor, which a service manager does before it starts a process.
fn announce(variable: &str, value: impl ToString) {
    // SAFETY: no other thread has been started that could read the environment meanwhile. A service manager sets these
    // variables between fork and exec, where a test cannot.
    unsafe { std::env::set_var(variable, value.to_string()) };
}
