//! Clients and services of a derived protocol, separately and together.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

#[cfg(feature = "tokio")]
mod awaited;
mod by_hand;
mod direct;
mod dropped;
mod evolution;
mod exchange;
mod observed;
mod script_in_flight;
mod script_mistakes;
mod scripted;
mod store;
