//! The wire format: golden vectors that never change silently, a comparison with another implementation, round trips,
//! and hostile bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod calls;
mod datagrams;
mod differential;
mod enums;
mod evolution;
mod golden;
mod hostile;
mod round_trip;
