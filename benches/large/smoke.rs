//! The comparison runs with a small message. The speed does not matter.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::Command;

#[test]
fn every_way_moves_the_message() {
    let output = Command::new(env!("CARGO_BIN_EXE_large"))
        .args(["--mib", "8", "--rounds", "1"])
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    for way in ["datagrammar ", "plain loop, 32 KiB ", "plain loop, 200 KB ", "ipc-channel 0.23.1 "]
    {
        assert!(report.lines().any(|line| line.starts_with(way)), "{way} is missing: {report}");
    }
    let requirements =
        report.lines().filter(|line| line.ends_with("met") || line.ends_with("MISSED"));
    assert_eq!(requirements.count(), 4, "{report}");
}
