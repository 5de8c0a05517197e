//! What a frame costs in system calls: strace counts them in the running server.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::{Running, is_installed, run};

/// The system calls that a server makes, by name, when `frames` requests are sent to it.
fn calls(directory: &Path, frames: usize) -> BTreeMap<String, u64> {
    let address = format!("unix:{}/blobs-{frames}.sock", directory.display());
    let counts = directory.join(format!("counts-{frames}"));
    let blobs = env!("CARGO_BIN_EXE_blobs");
    let mut server = Running::start(
        Command::new("strace")
            .args(["--follow-forks", "--summary-only", "--output"])
            .arg(&counts)
            .args([blobs, "serve", &address, "--quiet"])
            .stdin(Stdio::null()),
        "serving at",
    );
    let file = directory.join("file");
    fs::write(&file, "content").unwrap();
    run(Command::new(blobs).args(["put", &address]).arg(&file));
    let name = file.display().to_string();
    run(Command::new(blobs).args(["get", &address]).args(vec![&name; frames]));

    // strace writes its counts when what it traces has ended: end that, and not strace itself. The
    // threads of the clients have to have met the end before.
    let strace = server.child.id();
    let children = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children")).unwrap();
    let traced: i32 = children.trim().parse().unwrap();
    while fs::read_dir(format!("/proc/{traced}/task")).unwrap().count() > 1 {
        thread::sleep(Duration::from_millis(10));
    }
    let traced = rustix::process::Pid::from_raw(traced).unwrap();
    rustix::process::kill_process(traced, rustix::process::Signal::KILL).unwrap();
    server.child.wait().unwrap();

    let counts = fs::read_to_string(counts).unwrap();
    let mut calls = BTreeMap::new();
    for line in counts.lines() {
        let columns: Vec<&str> = line.split_whitespace().collect();
        if let [_, _, _, count, .., name] = columns[..]
            && let Ok(count) = count.parse()
        {
            calls.insert(name.to_owned(), count);
        }
    }
    calls.remove("total");
    calls
}

#[test]
fn a_frame_costs_one_receive_and_its_answer_one_send_and_nothing_else() {
    if !is_installed("strace") {
        return;
    }
    const MORE: u64 = 500;
    let directory = tempfile::tempdir().unwrap();
    let few = calls(directory.path(), 100);
    let many = calls(directory.path(), 100 + MORE as usize);
    let names: std::collections::BTreeSet<&String> = few.keys().chain(many.keys()).collect();
    let count = |calls: &BTreeMap<String, u64>, name: &str| calls.get(name).copied().unwrap_or(0);
    let more: BTreeMap<&str, i64> = names
        .into_iter()
        .map(|name| (name.as_str(), count(&many, name) as i64 - count(&few, name) as i64))
        .filter(|&(_, more)| more != 0)
        .collect();
    // A request is a receive (with room for descriptors), and its answer is a send.
    assert_eq!(more["recvmsg"], MORE as i64, "{more:?}");
    let more_send = more.get("sendto").unwrap_or(&0) + more.get("sendmsg").unwrap_or(&0);
    assert_eq!(more_send, MORE as i64, "{more:?}");
    let others: i64 = more
        .iter()
        .filter(|(name, _)| !["recvmsg", "sendto", "sendmsg"].contains(*name))
        .map(|(_, more)| more.abs())
        .sum();
    // Threads starting and ending differ by a call or two from run to run (futex, brk, madvise).
    assert!(others < 50, "other calls grow with the frames: {more:?}");
}
