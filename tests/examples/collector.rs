//! `collector`: real programs send to it.

use std::os::unix::net::UnixDatagram;
use std::process::Command;

use crate::{Running, is_installed, run};

fn collector(address: &str, count: &str) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collector"));
    Running::start(command.args([address, "--count", count, "--limit", "100000"]), "collecting at")
}

#[test]
fn datagrams_of_any_length_are_collected() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("collector.sock");
    let collector = collector(&format!("unix:{}", path.display()), "5");
    let sender = UnixDatagram::unbound().unwrap();
    for datagram in [&b"short"[..], &[], &[b'x'; 100_000], &[b'y'; 100_001], b"\x00last\n"] {
        sender.send_to(datagram, &path).unwrap();
    }
    let output = collector.output();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "5 bytes: short");
    assert_eq!(lines[1], "0 bytes: ");
    assert_eq!(lines[2], format!("100000 bytes: {}", "x".repeat(100_000)));
    assert_eq!(lines[3], "100001 bytes, over the limit of 100000: dropped");
    assert_eq!(lines[4], "6 bytes: \\x00last\\n");
    assert!(!path.exists(), "it leaves no path behind");
}

#[test]
fn logger_logs_to_it() {
    if !is_installed("logger") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("collector.sock");
    let collector = collector(&format!("unix:{}", path.display()), "1");
    run(Command::new("logger").arg("--socket").arg(&path).arg("a line for the log"));
    let output = collector.output();
    assert!(output.contains("a line for the log"), "{output}");
}

#[test]
fn systemd_notify_notifies_it() {
    if !is_installed("systemd-notify") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("collector.sock");
    let collector = collector(&format!("unix:{}", path.display()), "1");
    // The program may wait for an answer that a collector does not give.
    let notified = Command::new("systemd-notify")
        .args(["--no-block", "--ready"])
        .env("NOTIFY_SOCKET", &path)
        .status();
    assert!(notified.unwrap().success());
    let output = collector.output();
    assert!(output.contains("READY=1"), "{output}");
}
