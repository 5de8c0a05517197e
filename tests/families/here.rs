//! The conversation over every family, on this machine.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::Command;

use datagrammar_tests::skipped;

#[test]
fn the_same_conversation_goes_over_every_family() {
    let output = Command::new(env!("CARGO_BIN_EXE_families")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let left_out: Vec<&str> =
        said.lines().filter_map(|line| line.strip_prefix("SKIPPED ")).collect();
    for why in &left_out {
        skipped(why);
        // Every machine has all the other families.
        assert!(why.starts_with("vsock: ") || why.contains("unsharing"), "{said}");
    }
    let counts = format!("families: {} ran, {} skipped\n", 10 - left_out.len(), left_out.len());
    assert!(said.ends_with(&counts), "{said}");
}
