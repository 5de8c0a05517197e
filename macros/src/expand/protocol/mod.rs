//! Expands a checked protocol into its answers, clients, handler traits and services.
//!
//! The items that users name are next to the protocol, so they use full paths. Everything else is in a block, like the
//! implementation of `Message`.

mod answer;
mod client;
mod flavor;
mod handler;
mod service;
mod whole;

pub(crate) use self::whole::protocol;
