//! Runs the comparison with few calls. The figures do not matter.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::Command;

#[test]
fn every_way_calls() {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_compare-calls"))
        .args(["--calls", "512", "--rounds", "1", "--out"])
        .arg(directory.path())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    let rows = |what: &str| report.lines().filter(|line| line.contains(what)).count();
    assert_eq!((rows("| tarpc 0.38 |"), rows("| two raw send + recv |")), (9, 2), "{report}");
    let written = std::fs::read_to_string(directory.path().join("calls.md")).unwrap();
    assert_eq!(written, report);
}
