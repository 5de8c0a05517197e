//! Descriptors that programs inherit when other threads start them, and signals that could kill them.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use datagrammar::{Connection, Listener, Socket};
use datagrammar_tests::{Directory, Numbered, alone, child, skipped};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

#[test]
fn h13_no_descriptor_is_inherited_by_a_program_started_meanwhile() {
    let directory = Directory::new();
    let address = directory.address("busy");
    let listener = Listener::<Numbered<'_>, Numbered<'_>>::bind(&address).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let client = Ours::connect(&address).unwrap();
                let server = listener.accept().unwrap();
                let pair = Ours::pair().unwrap();
                let udp = OursAlone::bind(&"udp:127.0.0.1:0".parse().unwrap()).unwrap();
                let path = OursAlone::bind(&directory.address("by-itself")).unwrap();
                drop((client, server, pair, udp, path));
            }
        });
        for _ in 0..50 {
            let mut child = Command::new(child!())
                .arg("descriptors")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut inherited = String::new();
            child.stdout.take().unwrap().read_to_string(&mut inherited).unwrap();
            assert!(child.wait().unwrap().success());
            assert!(!inherited.contains("socket:"), "inherited: {inherited}");
            assert!(!inherited.contains(".lock"), "inherited: {inherited}");
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn h24_a_peer_that_is_gone_does_not_kill_by_sigpipe() {
    let (ours, theirs) = Ours::pair().unwrap();
    drop(theirs);
    let ours: OwnedFd = ours.into_fd().unwrap().0;
    let child = Command::new(child!()).arg("sigpipe").stdin(Stdio::from(ours)).output().unwrap();
    assert!(child.status.success(), "{child:?}");
    assert_eq!(child.stdout, b"alive\n");
}

#[test]
fn h15_too_many_in_flight_is_a_full_socket_and_not_an_end() {
    // Descriptors of the same user are counted together.
    let _alone = alone();
    let child = Command::new(child!()).arg("flood").output().unwrap();
    assert!(child.status.success(), "{child:?}");
    let rounds = String::from_utf8(child.stdout).unwrap();
    let rounds: Vec<usize> = rounds.split_whitespace().map(|sent| sent.parse().unwrap()).collect();
    assert_eq!(rounds.len(), 3);
    assert!(rounds.iter().all(|&sent| sent > 0 && sent <= 300), "{rounds:?}");
}

#[test]
fn h15_calls_wait_idly_while_too_many_are_in_flight() {
    // Descriptors of the same user are counted together.
    let _alone = alone();
    let child = Command::new(child!()).arg("crowded-calls").output().unwrap();
    assert!(child.status.success(), "{child:?}");
    let milliseconds: u64 = String::from_utf8(child.stdout).unwrap().trim().parse().unwrap();
    // The time of one second.
    assert!(milliseconds < 250, "{milliseconds}");
}

#[test]
fn valgrind_sees_no_descriptor_leak() {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--track-fds=yes", child!(), "leaks", "500"]);
    let Ok(output) = valgrind.output() else {
        skipped("valgrind is not installed");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let (before, after) = printed.trim().split_once(' ').unwrap();
    assert_eq!(before, after);
    // The descriptors that are still open at the end were open at the start: the three standard streams. A tokio
    // runtime keeps descriptors of its own, such as sockets for signals.
    let report = String::from_utf8(output.stderr).unwrap();
    let is_ours = |place: &&str| {
        (place.starts_with("AF_UNIX") || place.contains("leaks.rs"))
            && !place.contains("tokio::runtime::driver")
            && !place.contains("tokio::signal")
    };
    assert_eq!(report.split("Open ").skip(1).find(is_ours), None, "{report}");
}

#[test]
fn h09_a_family_that_does_not_tell_lengths_is_refused() {
    let child = Command::new(child!()).arg("ping").output().unwrap();
    assert!(child.status.success(), "{child:?}");
    let told = String::from_utf8(child.stdout).unwrap();
    match told.strip_prefix("SKIPPED: ") {
        Some(why) => skipped(why.trim()),
        None => assert!(told.contains("does not report lengths"), "{told}"),
    }
}
