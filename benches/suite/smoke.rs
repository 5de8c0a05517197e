//! The suite runs, with little of everything. What it measures decides nothing.
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

    let ways = [
        "datagrammar, send_all",
        "datagrammar, send",
        "datagrammar, one at a time",
        "sendmmsg + peek + recvmmsg, bare bytes",
        "send + recv, bare bytes",
        "send + recv, bincode",
        "send + peek + recv, bincode",
        "uds 0.4.2 + bincode",
        "ipc-channel 0.23.1",
        "tokio-seqpacket 0.9.1 + bincode",
        "tokio-unix-ipc 0.4.0",
        "tarpc 0.38",
        "peek + vec![0; n] + JSON",
    ];
    for way in ways {
        let row = format!("| {way} ");
        assert!(report.lines().any(|line| line.starts_with(&row)), "{way} is missing: {report}");
    }
    let verdicts = report.lines().filter(|line| {
        let end = line.trim_end_matches([' ', '|']);
        end.ends_with(" met") || end.ends_with(" MISSED")
    });
    assert_eq!(verdicts.count(), 28, "{report}");
    for plot in ["bursts", "streams", "trips", "mixed", "connections"] {
        let svg = fs::read_to_string(out.path().join(plot).with_extension("svg")).unwrap();
        assert!(svg.trim_end().ends_with("</svg>"), "{plot}");
    }
}
