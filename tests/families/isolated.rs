//! The other end of a conversation in isolation: another root, another network, and all namespaces unshared.
//! It is this program again, which isolates itself; without privileges, in a user namespace.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use datagrammar::{AcceptError, Address, Child, Listener, OpenError};
use datagrammar_tests::Directory;
use rustix::thread::UnshareFlags;

use crate::link::Connected;
use crate::talk::{Talk, Tally, converse, serve};

/// The message that isolation is not possible on this machine.
const NO_WALL: u8 = 77;

/// A path, to a process whose root directory contains it.
pub(crate) fn chroot() -> Result<Tally, OpenError> {
    let directory = Directory::new();
    connecting(&directory.address("socket"), "in-chroot", directory.path().as_os_str())
}

/// A path, to a process with a network namespace of its own: paths are not part of it, unlike abstract names.
pub(crate) fn network() -> Result<Tally, OpenError> {
    let directory = Directory::new();
    let address = directory.address("socket");
    connecting(&address, "in-network", OsStr::new(&address.to_string()))
}

/// An inherited descriptor, to a process that shares no namespace with this one.
pub(crate) fn unshared() -> Result<Tally, OpenError> {
    let mut command = Command::new(env::current_exe().unwrap());
    let child = Child::spawn(command.arg("unshared"))?;
    let (mut ours, mut process) = child.into_parts();
    // The first frame says that the isolation is complete.
    match ours.recv().unwrap() {
        Some(frame) => assert!(matches!(frame.decode().unwrap(), Talk::End)),
        None => return lacking(process.wait().unwrap().code()),
    }
    let tally = converse(&mut ours);
    assert!(process.wait().unwrap().success());
    Ok(tally)
}

/// A conversation with a process that connects to `address` after `task`.
fn connecting(address: &Address, task: &str, argument: &OsStr) -> Result<Tally, OpenError> {
    let listener = Listener::<Talk<'_>, Talk<'_>>::bind(address)?;
    let mut command = Command::new(env::current_exe().unwrap());
    let mut server = command.arg(task).arg(argument).stdin(Stdio::null()).spawn().unwrap();
    let connection = loop {
        match listener.try_accept() {
            Err(AcceptError::WouldBlock) => {}
            result => break Some(result.expect("a client")),
        }
        if server.try_wait().unwrap().is_some() {
            break None;
        }
        thread::sleep(Duration::from_millis(1));
    };
    let tally = connection.map(|mut ours: Connected| converse(&mut ours));
    let status = server.wait().unwrap();
    match tally {
        Some(tally) => {
            assert!(status.success());
            Ok(tally)
        }
        None => lacking(status.code()),
    }
}

fn lacking(code: Option<i32>) -> Result<Tally, OpenError> {
    assert_eq!(code, Some(NO_WALL.into()), "the other process failed");
    let source = io::Error::from(io::ErrorKind::PermissionDenied);
    Err(OpenError::Io { action: "unsharing".into(), source })
}

/// Runs the other process, if the arguments say so.
pub(crate) fn other(task: &str, argument: Option<String>) -> Option<ExitCode> {
    let argument = || argument.expect("an argument");
    Some(match task {
        "in-chroot" => {
            let root = argument();
            let walled = unshare(UnshareFlags::empty());
            match walled.and_then(|()| Ok(rustix::process::chroot(&root)?)) {
                Ok(()) => connect(&Address::from_pathname("/socket").unwrap()),
                Err(_) => ExitCode::from(NO_WALL),
            }
        }
        "in-network" => match unshare(UnshareFlags::NEWNET) {
            Ok(()) => connect(&argument().parse().unwrap()),
            Err(_) => ExitCode::from(NO_WALL),
        },
        "unshared" => {
            let all = UnshareFlags::NEWNS
                | UnshareFlags::NEWNET
                | UnshareFlags::NEWPID
                | UnshareFlags::NEWIPC
                | UnshareFlags::NEWUTS
                | UnshareFlags::NEWCGROUP;
            // A new PID namespace begins with the next process, which inherits the descriptors of this one.
            match unshare(all) {
                Ok(()) => {
                    let mut command = Command::new(env::current_exe().unwrap());
                    let status = command.arg("behind-walls").status().unwrap();
                    assert!(status.success());
                    ExitCode::SUCCESS
                }
                Err(_) => ExitCode::from(NO_WALL),
            }
        }
        "behind-walls" => {
            assert_eq!(std::process::id(), 1);
            let mut ours = Connected::inherited().unwrap();
            ours.send(&Talk::End).unwrap();
            serve(&mut ours);
            ExitCode::SUCCESS
        }
        _ => return None,
    })
}

fn connect(address: &Address) -> ExitCode {
    serve(&mut Connected::connect(address).unwrap());
    ExitCode::SUCCESS
}

/// Leaves namespaces, and as a user without privileges also the user namespace.
fn unshare(flags: UnshareFlags) -> io::Result<()> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let flags = if uid.is_root() { flags } else { flags | UnshareFlags::NEWUSER };
    // SAFETY: descriptors are not unshared, which is all that this could harm.
    unsafe { rustix::thread::unshare_unsafe(flags) }?;
    if flags.contains(UnshareFlags::NEWUSER) {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/gid_map", format!("0 {} 1", gid.as_raw()))?;
        fs::write("/proc/self/uid_map", format!("0 {} 1", uid.as_raw()))?;
    }
    Ok(())
}
