//! Processes that lock their memory, or may have little address space, few descriptors or few system calls.

use std::process::Command;

use datagrammar_tests::{child, skipped, skips};

/// The output of a child that succeeds.
fn child(arguments: &[&str]) -> String {
    let child = Command::new(child!()).args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8(child.stdout).unwrap(), child.stderr);
    assert!(child.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&err));
    out.trim().to_owned()
}

#[test]
fn who_locks_all_memory_does_not_lock_room_that_is_not_used() {
    let told = child(&["locked"]);
    if let Some(why) = told.strip_prefix("SKIPPED: ") {
        return skipped(why);
    }
    let kilobytes: u64 = told.parse().unwrap();
    // The program and its stacks, and frames of 400,000 bytes.
    assert!(kilobytes < 40 * 1024, "{kilobytes} KiB are resident");
}

#[test]
fn who_may_have_little_address_space_receives_all_the_same() {
    // Too little address space for any lane, for many lanes, and for twice as many.
    for more in ["4", "20", "100", "150", "300"] {
        assert_eq!(child(&["little-address-space", more]), "received");
    }
}

#[test]
fn h11_frames_with_more_descriptors_together_than_may_be_open_lose_none() {
    assert_eq!(child(&["few-descriptors"]), "32 320");
}

#[test]
fn h50_a_connection_needs_only_the_system_calls_that_the_crate_page_names() {
    if !skips("h50_a_connection_needs_only_the_system_calls_that_the_crate_page_names") {
        assert_eq!(child(&["few-calls"]), "received");
        assert_eq!(child(&["few-calls-of-memory"]), "received");
    }
}

/// Otherwise, its caller would wait forever.
#[test]
fn h32_a_request_in_pieces_for_which_there_is_no_memory_is_answered() {
    // With the status "busy".
    assert_eq!(child(&["starved"]), "1:0 2:0 3:6 4:0 5:0");
}
