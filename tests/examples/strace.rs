//! The system calls of running programs, as strace records them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use rustix::net::{SendFlags, send};

use crate::run;

/// A finished system call.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// The arguments as strace prints them, or their end.
    pub(crate) arguments: String,
    /// The result, or -1.
    pub(crate) result: i64,
}

impl Call {
    /// Parses a line of strace if a call ends there: `12 recv(3, "", 0) = 0`, or the second half of a call that was
    /// interrupted by one of another thread, `12 <... recv resumed>3, "", 0) = 0`.
    fn parse(line: &str) -> Option<Self> {
        let (call, result) = line.rsplit_once(" = ")?;
        let (_thread, call) = call.trim().split_once(' ')?;
        let (name, arguments) = match call.trim().strip_prefix("<... ") {
            Some(resumed) => resumed.split_once(" resumed>")?,
            None => call.trim().split_once('(')?,
        };
        let result = result.split(' ').next()?.parse().ok()?;
        Some(Self { name: name.to_owned(), arguments: arguments.to_owned(), result })
    }

    pub(crate) fn is_peek(&self) -> bool {
        self.name.starts_with("recv") && self.arguments.contains("MSG_PEEK")
    }

    pub(crate) fn is_read(&self) -> bool {
        self.name.starts_with("recv") && !self.arguments.contains("MSG_PEEK")
    }

    pub(crate) fn is_send(&self) -> bool {
        self.name.starts_with("send")
    }
}

/// Returns how many calls of a kind there were, and how many of them returned data.
pub(crate) fn count(calls: &[Call], is_kind: fn(&Call) -> bool) -> (usize, usize) {
    let kind = calls.iter().filter(|call| is_kind(call));
    (kind.clone().count(), kind.filter(|call| call.result > 0).count())
}

/// Creates a command that traces another program's calls to `output`.
pub(crate) fn strace(output: &Path, calls: &str) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["--follow-forks", "--string-limit=64", "--trace", calls, "--output"]).arg(output);
    strace
}

pub(crate) fn read(output: &Path) -> Vec<Call> {
    fs::read_to_string(output).unwrap().lines().filter_map(Call::parse).collect()
}

/// Marks the calls that follow in a traced program.
pub(crate) struct Marks {
    ours: UnixDatagram,
    _theirs: UnixDatagram,
}

impl Marks {
    pub(crate) fn new() -> Self {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        Self { ours, _theirs: theirs }
    }

    pub(crate) fn set(&self, name: &str) {
        send(&self.ours, format!("mark: {name}").as_bytes(), SendFlags::empty()).unwrap();
    }
}

/// Returns the calls that the ignored test `program` of this executable makes between its marks.
pub(crate) fn phases(program: &str) -> BTreeMap<String, Vec<Call>> {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("calls");
    let mut command = strace(&output, "network,epoll_wait,epoll_pwait,epoll_pwait2");
    command.arg(std::env::current_exe().unwrap());
    run(command.args(["--ignored", "--exact", program]));

    let mut phases = BTreeMap::<String, Vec<Call>>::new();
    let mut phase = "before".to_owned();
    for call in read(&output) {
        match call.arguments.split_once("\"mark: ") {
            Some((_, rest)) => rest.split('"').next().unwrap().clone_into(&mut phase),
            None => phases.entry(phase.clone()).or_default().push(call),
        }
    }
    phases
}

#[test]
fn a_line_of_strace_is_understood() {
    let call = |name: &str, arguments: &str, result| {
        Some(Call { name: name.into(), arguments: arguments.into(), result })
    };
    assert_eq!(
        Call::parse(r#"7  sendto(3, "a = b", 5, 0) = 5"#),
        call("sendto", r#"3, "a = b", 5, 0)"#, 5)
    );
    assert_eq!(
        Call::parse(
            "7  <... recvfrom resumed>\"\", 1, MSG_PEEK, NULL, NULL) = -1 EAGAIN (Resource)"
        ),
        call("recvfrom", "\"\", 1, MSG_PEEK, NULL, NULL)", -1),
    );
    assert_eq!(Call::parse("7  recvfrom(3,  <unfinished ...>"), None);
    assert_eq!(Call::parse("7  +++ exited with 0 +++"), None);
}
