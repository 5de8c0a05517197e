//! The known hazards, each with its number and a test that the library handles it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod budget;
mod budget_connections;
mod budget_races;
mod bundle_faults;
mod bundles;
mod descriptors;
mod edges;
mod ends;
mod floods;
mod forms;
mod full;
mod kept;
mod lies;
mod memory;
mod opening;
mod oracle;
mod peeks;
mod pieces;
mod sealing;
mod sharing;
mod shutdown;
mod signals;
mod sizes;
mod udp;
mod waiting;

#[test]
fn all_tests_pass_eagerly() {
    datagrammar_tests::pass_eagerly();
}
