//! The suite runs, with a little of everything. The figures do not matter.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::process::Command;

#[test]
fn everything_is_measured_once() {
    let out = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_suite"))
        .args(["--quick", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    let report = fs::read_to_string(out.path().join("results.md")).unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(&report));
    assert!(!report.contains("fails"), "{report}");

    for title in [
        "datagrammar, send_all",
        "datagrammar, send",
        "datagrammar, send, eager",
        "datagrammar under tokio, send",
        "datagrammar under tokio, into_queue",
        "AsyncFd alone",
        "plain loop",
        "uds 0.4.2 + bincode",
        "ipc-channel 0.23.1",
        "tokio-seqpacket 0.9.1 + bincode",
        "tokio-util 0.7 UdpFramed + bincode",
        "quinn-udp 0.5 + bincode",
    ] {
        let row = format!("| {title} ");
        let is_measured = |line: &str| line.starts_with(&row) && line.contains(['0', '1', '2']);
        assert!(report.lines().any(is_measured), "{title} is missing: {report}");
    }
    let headings = report.lines().filter(|line| line.starts_with("## "));
    assert_eq!(headings.filter(|line| !line.contains("Remarks")).count(), 12, "{report}");
    let verdicts = report.lines().filter(|line| {
        let end = line.trim_end_matches([' ', '|']);
        end.ends_with(" met") || end.ends_with(" MISSED")
    });
    assert_eq!(verdicts.count(), 41, "{report}");
}
