//! Descriptors that a service manager passes, and descriptors that only seem to be passed.

use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use datagrammar::{Connection, Listener};
use datagrammar_tests::{Directory, Numbered, child, numbered, skipped};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A program that is started with one descriptor, as by a service manager.
fn managed(task: &str, fd: impl AsFd) -> Command {
    // Not directly at its number, because it would stay close-on-exec there.
    let fd = rustix::io::fcntl_dupfd_cloexec(fd, 10).unwrap();
    let mut command = Command::new(child!());
    command.arg(task).env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "numbers");
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let place = move || {
        // SAFETY: no memory is involved, and both numbers are open or become so.
        match unsafe { libc::dup2(fd.as_raw_fd(), 3) } {
            3 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec, this makes one system call and nothing else.
    unsafe { command.pre_exec(place) };
    command
}

/// The output of a program that succeeds.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_service_manager_hands_over_a_listener() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let listener = Listener::<Numbered<'_>, Numbered<'_>>::bind(&address).unwrap();
    let child = managed("activated", &listener).spawn().unwrap();
    let mut client = Ours::connect(&address).unwrap();
    numbered(7, 10, |frame| client.send(frame)).unwrap();
    assert_eq!(client.recv().unwrap().expect("an answer").decode().unwrap().check(), 7);
    drop(client);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // The descriptor's name. A second call takes nothing.
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "numbers 0\n");
}

#[test]
fn what_this_process_opened_itself_is_not_taken_for_a_service_managers() {
    let mut command = Command::new(child!());
    let command = command.arg("not-activated").env("LISTEN_FDS", "1").stdin(Stdio::null());
    let said = printed(command);
    assert!(said.starts_with("this program was not started with descriptor 3"), "{said}");
}

#[test]
fn a_program_that_executes_itself_anew_is_told_what_became_of_its_descriptors() {
    let said = printed(&mut managed("activated-anew", std::io::stdin()));
    assert!(said.starts_with("this program was not started with descriptor 3"), "{said}");
    assert!(said.contains("LISTEN_FDS=1 announces it"), "{said}");
    assert!(said.contains("executed itself anew"), "{said}");
}

#[test]
fn h29_what_was_meant_for_another_process_of_the_same_number_is_left_alone() {
    let said = printed(&mut managed("activated-by-inode", std::io::stdin()));
    match said.strip_prefix("SKIPPED: ") {
        Some(why) => skipped(why.trim()),
        None => assert_eq!(said, "0, LISTEN_PIDFDID=\"own\" is not a valid number, 1\n"),
    }
}
