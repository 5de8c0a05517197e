//! The endpoints, family by family.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod address;
mod batch;
mod bundles;
mod connection;
mod errors;
mod handover;
mod kinds;
mod listener;
mod model;
mod options;
mod owned;
mod pending;
mod refused;
mod socket;
mod vsock;

#[test]
fn all_tests_pass_eagerly() {
    datagrammar_tests::pass_eagerly();
}
