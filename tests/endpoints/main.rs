//! What endpoints do, family by family.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod address;
mod batches;
mod connection;
mod listener;
mod options;
mod queue;
mod socket;
mod together;
mod untaken;
mod vsock;
