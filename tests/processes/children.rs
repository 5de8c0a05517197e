//! Children that get one end of a connection and nothing else, and what the parent learns of their ends.

use std::fs::File;
use std::io::{Write as _, read_to_string};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use datagrammar::{Child, Connection, Limits, OpenError, Options, RecvError, SendError};
use datagrammar_tests::{Numbered, child, numbered, raw, skipped, skips};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::SocketType;

type OurChild = Child<Numbered<'static>, Numbered<'static>>;
type Ours = Connection<Numbered<'static>, Numbered<'static>>;

fn command(task: &str) -> Command {
    let mut command = Command::new(child!());
    command.arg(task);
    command
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

#[test]
fn a_child_answers_over_its_connection_and_ends_with_it() {
    let (mut ours, mut process) = OurChild::spawn(&mut command("echo")).unwrap().into_parts();
    for (number, len) in [(1, 0), (2, 10), (3, 1_000_000)] {
        numbered(number, len, |frame| ours.send(frame)).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), number);
    }
    assert_eq!(process.try_wait().unwrap(), None);
    assert_eq!(process.wait_deadline(Instant::now()).unwrap(), None);
    drop(ours);
    assert!(process.wait_deadline(far()).unwrap().expect("an end").success());
    assert!(process.wait().unwrap().success());
}

#[test]
fn a_child_and_its_parent_have_options() {
    let len = 20 << 20;
    let options = Options::new().limits(Limits::new().frame_len(32 << 20));
    let mut child = OurChild::spawn_with(&mut command("echo-large"), &options).unwrap();
    numbered(1, len, |frame| child.connection().send(frame)).unwrap();
    let frame = child.connection().recv().unwrap().expect("a frame");
    assert_eq!(frame.decode().unwrap().check(), 1);

    // Without the options, the same frame is too long for both sides.
    let mut child = OurChild::spawn(&mut command("echo-large")).unwrap();
    numbered(2, len, |frame| child.connection().send(frame)).unwrap();
    let result = child.connection().recv();
    assert!(matches!(result, Err(RecvError::TooLarge { limit: 0x100_0000, .. })), "{result:?}");
    let mut child = OurChild::spawn_with(command("echo").stderr(Stdio::piped()), &options).unwrap();
    let sent = numbered(3, len, |frame| child.connection().send(frame));
    assert!(matches!(sent, Ok(_) | Err(SendError::Disconnected)), "{sent:?}");
    assert!(child.connection().recv().unwrap().is_none());
    let why = read_to_string(child.process().stderr.take().unwrap()).unwrap();
    assert!(why.contains("TooLarge"), "{why}");
}

#[test]
fn h13_a_child_inherits_nothing_else() {
    if skips("h13_a_child_inherits_nothing_else") {
        return;
    }
    // An open descriptor without close-on-exec, as any library may leave one.
    let file = File::open("/proc/version").unwrap();
    let left = rustix::io::fcntl_dupfd_cloexec(&file, 100).unwrap();
    rustix::io::fcntl_setfd(&left, rustix::io::FdFlags::empty()).unwrap();
    let mut command = command("tell-descriptors");
    let mut child = OurChild::spawn(command.stdout(Stdio::null()).stderr(Stdio::null())).unwrap();
    let frame = child.connection().recv().unwrap().expect("a frame");
    let Numbered::Numbered { body, .. } = frame.decode().unwrap();
    let open = String::from_utf8_lossy(body);
    for entry in open.split_whitespace() {
        let (number, _) = entry.split_once(':').unwrap();
        // The streams, and the connection in place of the standard input.
        assert!(number.parse::<u32>().unwrap() <= 3, "{open}");
    }
    assert_ne!(left.as_raw_fd(), 3);
}

#[test]
fn h23_a_childs_death_ends_the_connection_and_says_how() {
    let mut command = command("echo");
    // The command can be used again: a child that crashed is replaced.
    for _ in 0..3 {
        let mut child = OurChild::spawn(&mut command).unwrap();
        numbered(1, 10, |frame| child.connection().send(frame)).unwrap();
        child.connection().recv().unwrap().expect("an answer");
        child.process().kill().unwrap();
        assert!(child.connection().recv().unwrap().is_none());
        let gone = numbered(2, 10, |frame| child.connection().send(frame));
        assert!(matches!(gone, Err(SendError::Disconnected)), "{gone:?}");
        assert_eq!(child.process().wait().unwrap().signal(), Some(9));
    }
    let mut child = OurChild::spawn(&mut self::command("abort")).unwrap();
    assert!(child.connection().recv().unwrap().is_none());
    assert_eq!(child.process().wait().unwrap().signal(), Some(6));
}

#[test]
fn no_child_outlives_its_handle() {
    let child = OurChild::spawn(&mut command("echo")).unwrap();
    let (ours, process) = child.into_parts();
    let id = process.id();
    drop(process);
    // The child neither runs nor is a zombie.
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    drop(ours);
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let error = OurChild::spawn(&mut Command::new("/nonexistent/program")).unwrap_err();
    match error {
        OpenError::Io { action, .. } => assert_eq!(action, "starting \"/nonexistent/program\""),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_a_connection_is_not_inherited() {
    for (input, said) in [
        (Stdio::null(), "the descriptor is not a socket: expected a connected AF_UNIX or AF_VSOCK"),
        (Stdio::null(), "as the standard input, which Child::spawn passes"),
        (raw::pair(SocketType::DGRAM).0.into(), "a socket of AF_UNIX SOCK_DGRAM"),
    ] {
        let output = command("inherit").stdin(input).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains(said), "{printed}");
    }
    // It is left alone.
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"precious").unwrap();
    drop(writer);
    let output = command("inherit-or-read").stdin(reader).output().unwrap();
    assert_eq!(output.stdout, b"left: precious\n");
    // A connection is taken over, but only once.
    let (_ours, theirs) = Ours::pair().unwrap();
    let theirs = Stdio::from(theirs.into_fd().unwrap().0);
    let output = command("inherit").stdin(theirs).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.lines().next(), Some("inherited"), "{printed}");
    assert!(printed.contains("not a socket"), "{printed}");
}

#[test]
fn h50_an_input_is_taken_over_where_there_is_no_dev_null() {
    let root = tempfile::tempdir().unwrap();
    let mut command = command("inherit-nowhere");
    let command = command.env("EMPTY_ROOT", root.path()).stdout(Stdio::piped());
    let (mut ours, mut process) = OurChild::spawn(command).unwrap().into_parts();
    if let Some(frame) = ours.recv().unwrap() {
        numbered(frame.decode().unwrap().check(), 100, |frame| ours.send(frame)).unwrap();
    }
    let said = read_to_string(process.stdout.take().expect("a pipe")).unwrap();
    assert!(process.wait().unwrap().success());
    match said.strip_prefix("SKIPPED: ") {
        Some(why) => skipped(why.trim()),
        None => assert_eq!(said, "done\n"),
    }
}

#[test]
fn what_a_child_prints_can_be_read() {
    let mut command = command("talk");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = OurChild::spawn(&mut command).unwrap();
    let process = child.process();
    let said = read_to_string(process.stdout.take().expect("a pipe")).unwrap();
    assert_eq!(said, "to the standard output\n");
    let said = read_to_string(process.stderr.take().expect("a pipe")).unwrap();
    assert_eq!(said, "to the standard error\n");
    assert!(process.wait().unwrap().success());
    // Without the option, there are no pipes.
    let mut child = OurChild::spawn(command.stdout(Stdio::null()).stderr(Stdio::null())).unwrap();
    assert!(child.process().stdout.is_none() && child.process().stderr.is_none());
    assert!(child.process().wait().unwrap().success());
}

#[test]
fn a_childs_descriptor_tells_pollers_of_its_end() {
    let (ours, process) = OurChild::spawn(&mut command("echo")).unwrap().into_parts();
    let pidfd = process.pidfd().expect("a descriptor");
    let poll = |seconds| {
        let timeout = Timespec { tv_sec: seconds, tv_nsec: 0 };
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        rustix::event::poll(&mut fds, Some(&timeout)).unwrap()
    };
    assert_eq!(poll(0), 0);
    drop(ours);
    assert_eq!(poll(30), 1);
}
