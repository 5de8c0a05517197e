//! The known ways to lose data or get hurt, each with its number and a test that shows we do not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod batches;
mod descriptors;
mod ends;
mod floods;
mod full;
mod hostile;
mod memory;
mod opening;
mod oracle;
mod pieces;
mod sharing;
mod signals;
mod sizes;
mod udp;
mod waiting;
