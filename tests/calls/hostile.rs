//! Peers that break the rules, on both sides.

mod client;
mod server;
