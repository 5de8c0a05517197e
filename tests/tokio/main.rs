//! The awaited endpoints.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod crossing;
mod dropped;
mod fairness;
mod optional;
mod reported;
mod sendable;
mod storm;
mod stuck;
