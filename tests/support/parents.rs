//! Parents of children: in sandboxes that refuse system calls, in forked copies, and without notice of ends.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{self, Command};
use std::time::{Duration, Instant};

use datagrammar::{Child, Connection, Process};
use datagrammar_tests::{Numbered, numbered};
use rustix::process::{Resource, Rlimit, WaitOptions, getrlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

type OurChild = Child<Numbered<'static>, Numbered<'static>>;
type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// Runs the task `arguments[0]` while the system calls after it fail, each given as `call=errno`.
pub(crate) fn be_one(arguments: &[String]) {
    let [task, refused @ ..] = arguments else { panic!("a task, and calls") };
    // Some tasks prepare something that needs these calls.
    let refuse = || refuse(refused);
    match task.as_str() {
        "whole-life" => whole_life(refuse),
        "helpless" => helpless(refuse),
        "helpless-without-pidfd" => {
            self::refuse(&["pidfd_open=EPERM".to_owned()]);
            helpless(refuse);
        }
        "without-user" => helpless(give_up_user),
        "descriptors" => leave_descriptors(refuse),
        "fork" => fork(),
        "not-told" => not_told(refuse),
        other => panic!("no such task: {other}"),
    }
}

fn refuse(refused: &[String]) {
    for refused in refused {
        let (call, errno) = refused.split_once('=').expect("a call and an errno");
        let calls: &[i64] = match call {
            "close_range" => &[libc::SYS_close_range],
            "kill" => &[libc::SYS_kill],
            "pidfd_open" => &[libc::SYS_pidfd_open],
            "pidfd_send_signal" => &[libc::SYS_pidfd_send_signal],
            "select" => &[libc::SYS_pselect6],
            other => panic!("no such call: {other}"),
        };
        let errno = match errno {
            "EPERM" => libc::EPERM,
            "ENOSYS" => libc::ENOSYS,
            "ESRCH" => libc::ESRCH,
            other => panic!("no such errno: {other}"),
        };
        let rules: BTreeMap<i64, Vec<_>> = calls.iter().map(|&call| (call, Vec::new())).collect();
        let arch = std::env::consts::ARCH.try_into().expect("an architecture");
        let refused = SeccompAction::Errno(errno.cast_unsigned());
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch);
        let program: BpfProgram = filter.expect("a filter").try_into().expect("a program");
        seccompiler::apply_filter(&program).expect("seccomp");
    }
}

fn command(task: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg(task);
    command
}

fn spawn(task: &str) -> (Ours, Process) {
    OurChild::spawn(&mut command(task)).expect("a child").into_parts()
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn converse(ours: &mut Ours) {
    numbered(5, 100, |frame| ours.send(frame)).expect("sent");
    let frame = ours.recv().expect("a frame").expect("an answer");
    assert_eq!(frame.decode().expect("a message").check(), 5);
}

/// Returns whether the process exists, even as a zombie.
fn exists(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

fn assert_no_children() {
    let left = rustix::process::wait(WaitOptions::NOHANG);
    assert!(matches!(left, Err(rustix::io::Errno::CHILD)), "{left:?}");
}

/// Children that are dropped, killed, waited for in all ways, and that end by themselves.
fn whole_life(refuse: impl Fn()) {
    refuse();
    let (mut ours, mut process) = spawn("echo");
    converse(&mut ours);
    assert_eq!(process.try_wait().expect("no end"), None);
    let soon = Instant::now() + Duration::from_millis(20);
    assert_eq!(process.wait_deadline(soon).expect("no end"), None);
    assert!(Instant::now() >= soon, "it waits until the deadline");
    let id = process.id();
    drop(process);
    assert!(!exists(id), "no child outlives its handle");
    assert!(ours.recv().expect("the end").is_none());

    let (ours, mut process) = spawn("echo");
    drop(ours);
    assert!(process.wait_deadline(far()).expect("an end").expect("in time").success());
    assert!(process.wait().expect("an end").success());
    process.kill().expect("nothing to kill");

    let (_ours, mut process) = spawn("echo");
    process.kill().expect("killed");
    assert_eq!(process.wait().expect("an end").signal(), Some(9));
    assert_eq!(process.try_wait().expect("an end").and_then(|end| end.signal()), Some(9));
    assert_no_children();
    println!("done");
}

/// Loses the permission to kill its child, and does not wait for it either.
fn helpless(become_so: impl Fn()) {
    let (mut ours, mut process) = spawn("echo");
    become_so();
    let error = process.kill().expect_err("refused");
    assert_eq!(error.raw_os_error(), Some(libc::EPERM));
    drop(process);
    converse(&mut ours);
    drop(ours);
    let (_, end) = rustix::process::wait(WaitOptions::empty()).expect("a child").expect("its end");
    assert!(end.exited());
    println!("done");
}

fn give_up_user() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED: only root can become another user");
        process::exit(0);
    }
    // SAFETY: setuid(2) takes a number.
    assert_eq!(unsafe { libc::setuid(65_534) }, 0, "{}", io::Error::last_os_error());
}

/// Opens descriptors that must not be inherited, above the later limit, and prints which of them the child has.
fn leave_descriptors(refuse: impl Fn()) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = |current| setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum });
    limit(2048).expect("a higher limit");
    let file = File::open("/proc/version").expect("a file");
    // At the ends of the words of a set and of the kernel's tables, and between them.
    for number in [5, 62, 63, 64, 65, 255, 256, 300, 1023, 1024] {
        // SAFETY: both are numbers, and nothing owns a descriptor with this one.
        let copy = unsafe { libc::dup2(file.as_raw_fd(), number) };
        assert_eq!(copy, number, "{}", io::Error::last_os_error());
    }
    limit(40).expect("a lower limit");
    refuse();
    match OurChild::spawn(&mut command("tell-descriptors")) {
        Ok(mut child) => {
            let frame = child.connection().recv().expect("a frame").expect("no end");
            let Numbered::Numbered { body, .. } = frame.decode().expect("a message");
            println!("{}", String::from_utf8_lossy(body));
        }
        Err(error) => {
            assert_no_children();
            println!("{error}: {}", error.source().expect("a reason"));
        }
    }
}

/// Forks, and the copy drops the values that belong to the parent.
fn fork() {
    let (mut ours, mut process) = spawn("echo");
    // SAFETY: this process has one thread, so the copy may do everything that this process may.
    match unsafe { libc::fork() } {
        0 => {
            let refused = |error: Option<io::Error>| {
                let error = error.expect("it is not the copy's");
                assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
            };
            refused(process.kill().err());
            refused(process.wait().err());
            refused(process.try_wait().err());
            refused(process.wait_deadline(far()).err());
            drop(process);
            // SAFETY: it only ends this process.
            unsafe { libc::_exit(7) };
        }
        copy => {
            let copy = rustix::process::Pid::from_raw(copy).expect("a copy");
            let end = rustix::process::waitpid(Some(copy), WaitOptions::empty()).expect("its end");
            assert_eq!(end.and_then(|(_, end)| end.exit_status()), Some(7));
        }
    }
    converse(&mut ours);
    assert_eq!(process.try_wait().expect("no end"), None);
    drop(ours);
    assert!(process.wait().expect("an end").success());
    println!("done");
}

/// Ignores SIGCHLD, and starts children, some of which end at once.
fn not_told(refuse: impl Fn()) {
    // SAFETY: no handler is installed, before any other thread exists.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    refuse();
    for _ in 0..200 {
        let mut command = command("nothing");
        let end = || {
            // SAFETY: it only ends this process.
            unsafe { libc::_exit(0) }
        };
        // SAFETY: between fork and exec, this only ends the process.
        unsafe { command.pre_exec(end) };
        let (mut ours, mut process) = OurChild::spawn(&mut command).expect("a child").into_parts();
        assert!(ours.recv().expect("the end").is_none());
        let lost = process.wait().expect_err("nobody knows");
        assert_eq!(lost.kind(), ErrorKind::NotFound, "{lost}");
        assert!(lost.to_string().contains("SIGCHLD"), "{lost}");
        process.kill().expect("nothing to kill");
    }
    let (mut ours, process) = spawn("echo");
    converse(&mut ours);
    let id = process.id();
    drop(process);
    assert!(!exists(id));
    println!("done");
}

/// Writes to each stream, and succeeds if that worked.
pub(crate) fn talk() {
    println!("to the standard output");
    eprintln!("to the standard error");
    io::stdout().flush().expect("a reader");
}

/// Takes over the standard input in an empty root directory.
pub(crate) fn inherit_in_an_empty_root() {
    let root = std::env::var("EMPTY_ROOT").expect("a directory");
    if !rustix::process::geteuid().is_root() {
        // SAFETY: unshare(2) takes flags, before any other thread exists. If it fails, so does chroot.
        unsafe { libc::unshare(libc::CLONE_NEWUSER) };
    }
    let confined = rustix::process::chroot(&*root).and_then(|()| rustix::process::chdir("/"));
    if let Err(error) = confined {
        println!("SKIPPED: no other root for this user: {error}");
        return;
    }
    let mut ours = Ours::inherited().expect("a connection");
    assert_eq!(io::read_to_string(io::stdin()).expect("an empty input"), "");
    converse(&mut ours);
    println!("done");
}
