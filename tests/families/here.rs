//! The conversation over every family, on this machine.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::Command;

use datagrammar_tests::skipped;

#[test]
fn the_same_conversation_goes_over_every_family() {
    let output = Command::new(env!("CARGO_BIN_EXE_families")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let mut left_out: Vec<&str> = said.lines().collect();
    left_out.retain(|line| line.starts_with("SKIPPED") || line.starts_with("UNSUPPORTED"));
    for line in &left_out {
        skipped(line.trim_start_matches("SKIPPED "));
        // What every machine has runs.
        assert!(line.contains(" vsock: ") || line.contains("unsharing"), "{said}");
    }
    let ran = 10 - left_out.len();
    assert!(
        said.ends_with(&format!("families: {ran} ran, {} skipped\n", left_out.len())),
        "{said}"
    );
}
