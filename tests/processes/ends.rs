//! Peers that die, and copies of a socket in other processes.

use std::io::{BufRead as _, BufReader};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Command, Stdio};

use datagrammar::{Connection, RecvError, SendError};
use datagrammar_tests::{Numbered, child, numbered};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

#[test]
fn h23_what_was_sent_before_a_kill_arrives_and_then_the_end() {
    for _ in 0..20 {
        let (theirs, mut ours) = Ours::pair().unwrap();
        let mut child = Command::new(child!())
            .arg("send")
            .stdin(Stdio::from(theirs.into_fd().unwrap().0))
            .spawn()
            .unwrap();
        // Reading some frames lets the child continue, so that the kill can come at any point.
        for number in 0..50 {
            let frame = ours.recv().unwrap().expect("the child sends");
            assert_eq!(frame.decode().unwrap().check(), number);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut number = 50;
        while let Some(frame) = ours.recv().unwrap() {
            assert_eq!(frame.decode().unwrap().check(), number, "a frame is missing");
            number += 1;
        }
        let gone = numbered(0, 1, |frame| ours.send(frame)).unwrap_err();
        assert!(matches!(gone, SendError::Disconnected), "{gone:?}");
    }
}

#[test]
fn h39_a_copy_in_another_process_hides_the_end_and_shutdown_shows_it() {
    let (mut theirs, mut ours) = Ours::pair().unwrap();
    numbered(1, 100, |frame| theirs.send(frame)).unwrap();
    let copy: OwnedFd = theirs.as_fd().try_clone_to_owned().unwrap();
    let mut holder = Command::new(child!())
        .arg("hold")
        .stdin(Stdio::from(copy))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // After this line, the child holds the copy.
    let mut line = String::new();
    let mut stdout = BufReader::new(holder.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();

    assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
    let (sender, receiver) = theirs.split();
    drop(receiver);
    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)), "dropping alone is no end");
    sender.shutdown(Shutdown::Write).unwrap();
    drop(sender);
    assert!(
        ours.recv().unwrap().is_none(),
        "shutdown is the end, even if another process holds a copy"
    );

    holder.kill().unwrap();
    holder.wait().unwrap();
}
