//! The awaited endpoints.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod allocations;
mod crossing;
mod dropped;
mod elsewhere;
mod fairness;
mod optional;
mod queue;
mod readiness;
mod reported;
mod runtimes;
mod sendable;
mod storm;
mod stuck;
