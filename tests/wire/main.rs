//! The wire: golden vectors that never change silently, another implementation of the same format,
//! and round trips.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod datagrams;
mod differential;
mod enums;
mod evolution;
mod golden;
mod round_trip;
