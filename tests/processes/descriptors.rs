//! What programs inherit that are started meanwhile, and what kills them.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use datagrammar::{Connection, Listener, Socket};
use datagrammar_tests::{Directory, Numbered};

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
            let mut child = Command::new(env!("CARGO_BIN_EXE_child"))
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
    let ours: OwnedFd = ours.into_fd().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_child"))
        .arg("sigpipe")
        .stdin(Stdio::from(ours))
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    assert_eq!(child.stdout, b"alive\n");
}
