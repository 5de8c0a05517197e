//! Programs that a service manager has started, or seems to have.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{self, Command};

use rustix::process::{PidfdFlags, getpid, pidfd_open};

/// Says of one descriptor what only a service manager knows once this process runs.
fn announce(variable: &str, value: impl ToString) {
    // SAFETY: nothing else has been started that could read the environment meanwhile. A service manager
    // sets this between fork and exec, where a test cannot.
    unsafe { std::env::set_var(variable, value.to_string()) };
}

/// Takes a descriptor over, and executes this program anew.
pub(crate) fn execute_anew() {
    announce("LISTEN_PID", process::id());
    assert_eq!(datagrammar::activated().expect("a descriptor").len(), 1);
    let program = std::env::current_exe().expect("this program");
    panic!("{}", Command::new(program).arg("activated-again").exec());
}

/// Is told of a descriptor that the same process had before.
pub(crate) fn take_again() {
    println!("{}", datagrammar::activated().expect_err("what is closed"));
}

/// Is told of a descriptor by the number of its pidfd's inode: first of another process's, and by text that
/// is no number, and then of its own.
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
