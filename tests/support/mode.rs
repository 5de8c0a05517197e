//! The forms of waiting: with `DATAGRAMMAR_EAGER` in the environment, tests wait in the read itself, and otherwise in
//! the peek. Over the tokio endpoints, all wait in the reactor.

use std::any;
use std::env;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use datagrammar::{Connection, Message, Options};

use crate::{alone, skipped};

/// The variable that makes tests wait in the read itself.
const EAGER: &str = "DATAGRAMMAR_EAGER";

/// The default options, with the form of waiting of this process.
pub fn options() -> Options {
    match is_eager() {
        true => Options::new().eager(),
        false => Options::new(),
    }
}

/// Returns whether the tests of this process wait in the read itself.
pub fn is_eager() -> bool {
    static MODE: OnceLock<bool> = OnceLock::new();
    *MODE.get_or_init(|| env::var_os(EAGER).is_some())
}

/// Runs all tests of this program again, in a process where they wait in the read itself. Does nothing in that process,
/// and over the tokio endpoints.
///
/// # Panics
///
/// If a test fails.
pub fn pass_eagerly() {
    if is_eager() || is_awaited() {
        return;
    }
    // The pipe is a descriptor, and the process takes memory.
    let _alone = alone();
    let program = env::current_exe().expect("/proc");
    let again = Command::new(program).env(EAGER, "1").stderr(Stdio::inherit()).output();
    let again = again.expect("the same program");
    assert!(again.status.success(), "{}\n{}", again.status, String::from_utf8_lossy(&again.stdout));
}

/// Whether these tests run over the tokio endpoints. If so, their `datagrammar` is the crate `datagrammar-facade`.
pub fn is_awaited() -> bool {
    any::type_name::<Connection<(), ()>>().starts_with("datagrammar_facade")
}

/// The tests that do not apply to the tokio endpoints, and why.
const NOT_AWAITED: [(&[&str], &str); 7] = [
    (
        &["h49_a_forked_copy_leaves_its_parents_child_alone"],
        "a forked copy has no thread of the runtime, and shares its reactor with its parent",
    ),
    (
        &[
            "h13_a_child_inherits_nothing_else",
            "h49_a_child_inherits_nothing_else_where_close_range_is_refused",
        ],
        "the child's own runtime has descriptors, which are not inherited",
    ),
    (
        &["h50_a_connection_needs_only_the_system_calls_that_the_crate_page_names"],
        "a runtime needs other calls, such as epoll_wait(2)",
    ),
    (
        &["a_message_may_send_others_while_it_is_encoded_and_may_panic"],
        "a message is encoded in a future, which may not block on another",
    ),
    (
        &["a_sender_that_gives_up_half_way_costs_its_own_frame_alone"],
        "a frame that has begun at the deadline stays pending, and the next send completes it",
    ),
    (
        &["h51_threads_that_accept_together_stay_within_the_budget"],
        "an accept waits for a place in the budget, and does not fail",
    ),
    (
        &["a_frame_that_was_begun_and_not_ended_in_time_ends_the_connection"],
        "over vsock, a datagram that has begun blocks the thread, also after the deadline",
    ),
];

/// Returns whether to skip this test because it does not apply to the tokio endpoints. Reports why.
///
/// # Panics
///
/// If the test is not in the list.
#[track_caller]
pub fn skips(test: &str) -> bool {
    let listed = NOT_AWAITED.iter().find(|(tests, _)| tests.contains(&test));
    let (_, why) = listed.unwrap_or_else(|| panic!("{test} is not listed in support/mode.rs"));
    if is_awaited() {
        skipped(format_args!("over tokio, {why}"));
    }
    is_awaited()
}

/// Scales `count` for slow machines: by `DATAGRAMMAR_FRAMES` of a million. Over the tokio endpoints, the default is a
/// tenth.
///
/// # Panics
///
/// If the variable is not a number.
pub fn scaled(count: u64) -> u64 {
    const ALL: u64 = 1_000_000;
    let default = if is_awaited() { ALL / 10 } else { ALL };
    let frames = env::var("DATAGRAMMAR_FRAMES");
    let frames = frames.map_or(default, |frames| frames.parse().expect("a number of frames"));
    count * frames / ALL
}

/// Sets the form of waiting of this process for connections.
pub trait InMode: Sized {
    /// Returns the same connection with that form of waiting.
    fn in_mode(self) -> Self;
}

impl<Tx: Message, Rx: Message> InMode for Connection<Tx, Rx> {
    fn in_mode(self) -> Self {
        if !is_eager() {
            return self;
        }
        let (fd, unread) = self.into_fd().expect("the descriptor");
        let mut again = Self::adopt_with(fd, &options()).expect("the same connection");
        again.rx.restore(unread);
        again
    }
}

impl<A: InMode, B: InMode> InMode for (A, B) {
    fn in_mode(self) -> Self {
        (self.0.in_mode(), self.1.in_mode())
    }
}
