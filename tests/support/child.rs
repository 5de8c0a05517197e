//! The other process of tests that need one. Its first argument says what to do; its standard input
//! is a connection.

use std::fs;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::Duration;

use datagrammar::{Address, Connection, Listener, OpenError, Options, SendError};
use datagrammar_tests::{Numbered, numbered};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("send") => send_for_ever(),
        Some("hold") => hold(),
        Some("descriptors") => print_descriptors(),
        Some("sigpipe") => send_to_nobody(),
        Some("bind") => bind(&arguments.next().expect("an address")),
        Some("mode") => bind_with_umask(&arguments.next().expect("an address")),
        other => panic!("no such task: {other:?}"),
    }
}

fn inherited() -> Ours {
    let fd: OwnedFd = io::stdin().as_fd().try_clone_to_owned().expect("a descriptor");
    Ours::adopt(fd).expect("a connection as standard input")
}

/// Sends numbered frames until killed.
fn send_for_ever() {
    let mut ours = inherited();
    for number in 0.. {
        let len = number as usize * 37 % 3000;
        if numbered(number, len, |frame| ours.send(frame)).is_err() {
            return;
        }
    }
}

/// Holds the connection open without using it, until killed.
fn hold() {
    println!("holding");
    thread::sleep(Duration::from_secs(60));
}

/// Prints the numbers of the open descriptors.
fn print_descriptors() {
    // The directory's own descriptor is gone by the time its link is read.
    let open = fs::read_dir("/proc/self/fd").expect("/proc").filter_map(|entry| {
        let path = entry.ok()?.path();
        Some(format!("{}:{}", path.file_name()?.display(), fs::read_link(&path).ok()?.display()))
    });
    let open: Vec<String> = open.filter(|open| !open.contains("/fd")).collect();
    println!("{}", open.join(" "));
}

/// Sends to a peer that is gone, with the signal that most programs do not expect in force.
fn send_to_nobody() {
    // SAFETY: no handler is installed, only the default disposition is restored, before any other
    // thread exists.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let mut ours = inherited();
    for len in [1, 100_000] {
        let gone = numbered(1, len, |frame| ours.send(frame)).expect_err("nobody is there");
        assert!(matches!(gone, SendError::Disconnected), "{gone:?}");
    }
    println!("alive");
}

/// Tries to listen, says how it went, and keeps listening until standard input ends.
fn bind(address: &str) {
    let address: Address = address.parse().expect("an address");
    let bound = Listener::<Numbered<'_>, Numbered<'_>>::bind(&address);
    println!(
        "{}",
        match &bound {
            Ok(_) => "bound".to_owned(),
            Err(OpenError::InUse { .. }) => "in use".to_owned(),
            Err(other) => format!("{other:?}"),
        }
    );
    io::stdout().flush().expect("a reader");
    io::copy(&mut io::stdin(), &mut io::sink()).expect("standard input");
}

/// Listens under a umask that would take permissions away, and prints those that the path has.
fn bind_with_umask(address: &str) {
    // SAFETY: umask(2) takes a number and cannot fail.
    unsafe { libc::umask(0o077) };
    let address: Address = address.parse().expect("an address");
    let options = Options::new().mode(0o666);
    let _listener =
        Listener::<Numbered<'_>, Numbered<'_>>::bind_with(&address, &options).expect("bind");
    let path = address.as_path().expect("a path");
    println!("{:o}", fs::metadata(path).expect("metadata").permissions().mode() & 0o7777);
}
