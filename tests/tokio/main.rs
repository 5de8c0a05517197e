//! The async endpoints.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod crossing;
mod dropped;
mod elsewhere;
mod fairness;
mod queue;
mod reported;
mod runtimes;
mod sendable;
mod stuck;
