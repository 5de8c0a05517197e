//! Uses connections, sockets and calls at random, under faults, and compares them with simple models.
//! `DATAGRAMMAR_FRAMES` sets the length of a run.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod calls;
mod connections;
mod note;
mod sockets;
mod storm;
mod watch;
