//! Parents in sandboxes that refuse system calls, forked copies of parents, and parents that do not learn of ends.

use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar_tests::{child, skipped, skips};

/// The output of a parent that succeeds. The parent is killed if it hangs.
fn parent(arguments: &[&str]) -> String {
    let mut command = Command::new(child!());
    command.arg("parent").args(arguments).stdin(Stdio::null());
    let mut parent = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while parent.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            parent.kill().unwrap();
            panic!("{arguments:?}: hangs");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let Output { status, stdout, stderr } = parent.wait_with_output().unwrap();
    assert!(status.success(), "{arguments:?}: {status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap().trim().to_owned()
}

#[test]
fn h49_a_childs_whole_life_where_calls_are_refused() {
    assert_eq!(parent(&["whole-life"]), "done");
    for errno in ["EPERM", "ENOSYS"] {
        let calls = ["pidfd_open", "pidfd_send_signal", "close_range"];
        let refused = calls.map(|call| format!("{call}={errno}"));
        for refused in &refused {
            assert_eq!(parent(&["whole-life", refused]), "done", "{refused}");
        }
        let [one, two, three] = &refused;
        assert_eq!(parent(&["whole-life", one, two, three]), "done", "all, {errno}");
    }
}

#[test]
fn h49_who_may_not_kill_its_child_does_not_wait_for_it() {
    for refused in ["pidfd_send_signal=EPERM", "pidfd_send_signal=ENOSYS"] {
        assert_eq!(parent(&["helpless", refused, "kill=EPERM"]), "done", "{refused}");
    }
    assert_eq!(parent(&["helpless-without-pidfd", "kill=EPERM"]), "done");
    let said = parent(&["without-user"]);
    match said.strip_prefix("SKIPPED: ") {
        Some(why) => skipped(why),
        None => assert_eq!(said, "done"),
    }
}

#[test]
fn h49_a_child_inherits_nothing_else_where_close_range_is_refused() {
    if skips("h49_a_child_inherits_nothing_else_where_close_range_is_refused") {
        return;
    }
    for refused in [&[][..], &["close_range=EPERM"], &["close_range=ENOSYS"]] {
        let open = parent(&[&["descriptors"], refused].concat());
        for entry in open.split_whitespace() {
            let (number, _) = entry.split_once(':').unwrap();
            // The streams, and the connection in place of the standard input.
            assert!(number.parse::<u32>().unwrap() <= 3, "{refused:?}: {open}");
        }
    }
    // The open descriptors cannot be found, so no child is started.
    let error = parent(&["descriptors", "close_range=EPERM", "select=ENOSYS"]);
    assert!(error.starts_with("keeping descriptors from "), "{error}");
    assert!(error.contains("(close_range) failed: Operation not permitted"), "{error}");
}

#[test]
fn h49_a_forked_copy_leaves_its_parents_child_alone() {
    if skips("h49_a_forked_copy_leaves_its_parents_child_alone") {
        return;
    }
    assert_eq!(parent(&["fork"]), "done");
    assert_eq!(parent(&["fork", "pidfd_open=EPERM"]), "done");
}

#[test]
fn a_parent_that_is_not_told_of_ends_starts_children_all_the_same() {
    assert_eq!(parent(&["not-told"]), "done");
    // The same if the child has ended before the parent checks.
    assert_eq!(parent(&["not-told", "pidfd_open=ESRCH"]), "done");
}
