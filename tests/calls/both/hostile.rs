//! Peers that break the rules, on both sides.

mod both;
mod client;
mod server;
