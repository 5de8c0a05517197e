//! Calls.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

#[cfg(feature = "tokio")]
mod awaited;
#[path = "both/main.rs"]
mod both;
mod broken;
mod busy;
mod crowded;
mod ending;
mod evolution;
mod forbidden;
mod items;
mod leaving;
mod observer;
mod pending;
mod python;
mod refused;
mod script;
mod suite;
mod told;
mod wrong_type;

pub(crate) use both::{Handler, Ours, add, peer, protocol, with};
pub(crate) use protocol::{Counted, Echoed, Sum, Sums};
